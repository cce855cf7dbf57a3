#include "edge/net/http_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <utility>

namespace rollcall::edge {

namespace beast = boost::beast;
namespace http = boost::beast::http;

struct http_parser::machine {
  http::request_parser<http::string_body> parser;
};

namespace {

std::string to_text(beast::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

http_parser::http_parser(const http_limits& bounds)
  : bounds_(bounds), machine_(std::make_unique<machine>()) {
  // It stops behind the header, so that this is known before anything that
  // follows it is looked at.
  machine_->parser.eager(false);
  machine_->parser.header_limit(
    static_cast<std::uint32_t>(bounds.header_bytes));
  machine_->parser.body_limit(bounds.body_bytes);
}

http_parser::~http_parser() = default;

http_parser::status http_parser::refuse(unsigned code, std::string_view why) {
  if (!header_checked_)
    keep_header();
  refusal_ = problem(
    code, code == 413 || code == 431 ? "too_large" : "bad_request", why);
  return status::failed;
}

http_parser::status http_parser::feed(std::string_view& input) {
  auto& parser = machine_->parser;
  while (!parser.is_done()) {
    // Beast bounds the header and the body, but not the lines around chunks:
    // no more is shown of them at once than one of them may have.
    const auto shown = header_checked_ ? input.substr(0, bounds_.header_bytes)
                                       : std::string_view{input};
    const auto is_all = shown.size() == input.size();
    beast::error_code failed;
    const auto consumed
      = parser.put(boost::asio::buffer(shown.data(), shown.size()), failed);
    input.remove_prefix(consumed);
    if (failed && failed != http::error::need_more) {
      if (failed == http::error::header_limit)
        return refuse(431, "the request header is too big");
      if (failed == http::error::body_limit)
        return refuse(413, "the request body is too big");
      if (failed == http::error::bad_version)
        return refuse(505, "HTTP/1.1 is spoken here");
      return refuse(400, "this is not an HTTP request");
    }
    if (parser.is_header_done() && !header_checked_) {
      header_checked_ = true;
      parser.eager(true);
      keep_header();
      const auto verdict = check_header();
      if (verdict == status::failed
          || (verdict == status::wants_continue && !parser.is_done()
              && input.empty()))
        return verdict;
    }
    if (consumed == 0 && !is_all)
      return refuse(431, "the body's chunks or its trailer say too much");
    if (input.empty() || consumed == 0
        || (failed == http::error::need_more && is_all))
      break;
  }
  return parser.is_done() ? status::complete : status::need_more;
}

void http_parser::keep_header() {
  const auto& head = machine_->parser.get();
  request_.method = to_text(head.method_string());
  request_.target = to_text(head.target());
  request_.http11 = head.version() >= 11;
  request_.keep_alive = head.keep_alive();
  for (const auto& line : head)
    request_.headers.emplace_back(to_text(line.name_string()),
                                  to_text(line.value()));
}

http_parser::status http_parser::check_header() {
  const auto count
    = [&](std::string_view name) { return request_.header_count(name); };
  if (request_.headers.size() > bounds_.header_lines)
    return refuse(431, "the request has too many header lines");
  if (count("Host") > 1 || (request_.http11 && count("Host") == 0))
    return refuse(400, "there must be one Host header");
  // Two ways to say where the body ends are one too many: whoever is in
  // front of us may have believed the other (request smuggling).
  const auto lengths = count("Content-Length");
  const auto encodings = count("Transfer-Encoding");
  if (lengths > 1 || encodings > 1 || lengths + encodings > 1
      || (encodings > 0 && !request_.http11))
    return refuse(400, "the length of the body is ambiguous");
  if (encodings > 0 && !machine_->parser.chunked())
    return refuse(501, "this transfer coding is not supported");
  if (request_.target.empty() || request_.target.front() != '/')
    return refuse(400, "the target must be a path");
  const auto expects = request_.header("Expect");
  if (!expects)
    return status::need_more;
  if (!equal_ignoring_case(*expects, "100-continue"))
    return refuse(417, "this expectation cannot be met");
  return status::wants_continue;
}

http_request http_parser::take() {
  request_.body = std::move(machine_->parser.get().body());
  return std::move(request_);
}

} // namespace rollcall::edge
