// The one place where Asio's and Beast's own code is compiled: every other
// source sees declarations only, which saves each of them seconds.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
