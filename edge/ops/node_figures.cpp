#include "edge/ops/node_figures.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include <unistd.h>

namespace rollcall::edge {

namespace {

using metrics::metric_reading;
using metrics::metric_type;

double resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator at{"/proc/self/fd", error};
  double count = 0;
  while (!error && at != std::filesystem::directory_iterator{}) {
    ++count;
    at.increment(error);
  }
  // One of them was ours.
  return count > 0 ? count - 1 : 0;
}

constexpr std::array<const char*, refusal_reasons> reasons
  = {"bad_request", "origin", "unauthorised", "address_limit", "overloaded"};

struct plain_figure {
  const char* name;
  const char* help;
  metric_type type;
  std::uint64_t server_stats::*value;
};

constexpr auto counter = metric_type::counter;
constexpr auto gauge = metric_type::gauge;

constexpr std::array<plain_figure, 19> plain_figures = {{
  {"rollcall_net_accepted_total", "Sockets accepted.", counter,
   &server_stats::accepted},
  {"rollcall_net_upgraded_total", "Sockets that became WebSockets.", counter,
   &server_stats::upgraded},
  {"rollcall_net_sockets", "Open sockets.", gauge, &server_stats::sockets},
  {"rollcall_net_clients", "Open WebSockets.", gauge, &server_stats::clients},
  {"rollcall_net_http_requests_total", "HTTP requests.", counter,
   &server_stats::http_requests},
  {"rollcall_net_received_frames_total", "WebSocket frames received.", counter,
   &server_stats::frames_in},
  {"rollcall_net_sent_frames_total", "WebSocket frames sent.", counter,
   &server_stats::frames_out},
  {"rollcall_net_received_bytes_total", "Bytes received.", counter,
   &server_stats::bytes_in},
  {"rollcall_net_sent_bytes_total", "Bytes sent.", counter,
   &server_stats::bytes_out},
  {"rollcall_net_send_calls_total", "System calls that sent.", counter,
   &server_stats::sends},
  {"rollcall_net_publishes_total", "Frames published to channels.", counter,
   &server_stats::publishes},
  {"rollcall_net_deliveries_total", "Published frames times their receivers.",
   counter, &server_stats::deliveries},
  {"rollcall_net_queued_bytes", "Bytes queued for clients.", gauge,
   &server_stats::queued_bytes},
  {"rollcall_net_lagging_clients", "Clients too slow for their channels.",
   gauge, &server_stats::lagging},
  {"rollcall_net_lost_places_total", "Times a slow client lost its channels.",
   counter, &server_stats::lost_places},
  {"rollcall_net_resyncs_total", "Snapshots offered to clients that drained.",
   counter, &server_stats::resyncs},
  {"rollcall_net_rate_limited_total", "Requests refused as too many.", counter,
   &server_stats::rate_limited},
  {"rollcall_net_throttled_total", "Times a client was left unread.", counter,
   &server_stats::throttled},
  {"rollcall_net_accept_backoffs_total", "Pauses for want of descriptors.",
   counter, &server_stats::accept_backoffs},
}};

std::vector<metric_reading> network_readings(const server_stats& stats) {
  std::vector<metric_reading> out;
  out.reserve(plain_figures.size() + 3);
  for (const auto& [name, help, type, value] : plain_figures)
    out.push_back({name,
                   help,
                   type,
                   {{{}, static_cast<double>(stats.*value), std::nullopt}}});
  out.push_back(
    {"rollcall_net_inbox_overflows_total",
     "Messages for a full io loop.",
     counter,
     {{{}, static_cast<double>(stats.inbox_overflows), std::nullopt}}});
  metric_reading refused{"rollcall_net_refused_total",
                         "Connections and requests refused, by reason.",
                         counter,
                         {}};
  for (std::size_t i = 0; i < reasons.size(); ++i)
    refused.series.push_back({{{"reason", reasons.at(i)}},
                              static_cast<double>(stats.refused.at(i)),
                              std::nullopt});
  out.push_back(std::move(refused));
  metric_reading closed{"rollcall_net_closed_total",
                        "WebSockets ended, by close code.",
                        counter,
                        {}};
  for (const auto& [code, count] : stats.closed)
    closed.series.push_back({{{"code", std::to_string(code)}},
                             static_cast<double>(count),
                             std::nullopt});
  out.push_back(std::move(closed));
  return out;
}

} // namespace

figure_handles register_process_figures(metrics::registry& to,
                                        const std::string& version,
                                        millis started) {
  to.make_gauge("rollcall_build_info", "Always 1; the version is a label.",
                {{"version", version}})
    .set(1);
  to.make_gauge("rollcall_process_start_time_seconds",
                "Start of the process in Unix time.")
    .set(static_cast<double>(started.count()) / 1'000);
  figure_handles out;
  out.push_back(to.make_callback_gauge("rollcall_process_resident_bytes",
                                       "Resident memory.", resident_bytes));
  out.push_back(to.make_callback_gauge("rollcall_process_open_descriptors",
                                       "Open file descriptors.",
                                       open_descriptors));
  return out;
}

metrics::registry::callback_handle
register_network_figures(metrics::registry& to,
                         std::function<server_stats()> read) {
  return to.add_collector(
    [read = std::move(read)] { return network_readings(read()); });
}

} // namespace rollcall::edge
