// The raw client of the unit tests, for this suite too.

#include "unit/edge/net_client.cpp"
