// What the requests are called, for logs and metrics.

#include "actors/command_names.hpp"
#include "edge/protocol/request_decoder.hpp"

namespace rollcall::edge {

namespace {

struct name_of_request {
  std::string_view operator()(const hello_request&) const {
    return "hello";
  }
  std::string_view operator()(const refresh_request&) const {
    return "refresh_token";
  }
  std::string_view operator()(const attach_request&) const {
    return "attach";
  }
  std::string_view operator()(const detach_request&) const {
    return "detach";
  }
  std::string_view operator()(const heartbeat_request&) const {
    return "heartbeat";
  }
  std::string_view operator()(const session_request& request) const {
    return std::holds_alternative<observe_command>(request.body)
             ? "attach"
             : name_of(request.body);
  }
  std::string_view operator()(const namespace_request& request) const {
    return std::visit([](const auto& what) { return name_of(what); },
                      request.what);
  }
};

} // namespace

std::string_view op_name(const client_request& request) {
  return std::visit(name_of_request{}, request.body);
}

} // namespace rollcall::edge
