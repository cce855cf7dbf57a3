#include "edge/ops/logging.hpp"

#include <spdlog/async.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace rollcall::edge {

namespace {

constexpr rate_rule lines_per_event{10, 20};
constexpr std::size_t async_queue_lines = 8'192;

spdlog::level::level_enum level_of(log_level level) {
  switch (level) {
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warn:
    return spdlog::level::warn;
  default:
    return spdlog::level::err;
  }
}

/// Everything behind the sink function.
struct log_output {
  // Before the logger, which must be gone first.
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
  log_gate gate{lines_per_event};
  std::array<metrics::counter*, 4> lines{};
  metrics::counter* suppressed = nullptr;
};

std::mutex output_mutex;
std::unique_ptr<log_output> output;

void write_line(const log_line& line) noexcept {
  try {
    const auto now = system_now();
    std::lock_guard guard{output_mutex};
    if (!output)
      return;
    const auto dropped
      = output->gate.admit(line.subject, line.event, now.steady);
    if (!dropped) {
      output->suppressed->add();
      return;
    }
    output->lines.at(static_cast<std::size_t>(line.level))->add();
    const auto text = output->json ? json_line(line, now.wall, *dropped)
                                   : text_line(line, now.wall, *dropped);
    output->logger->log(level_of(line.level), spdlog::string_view_t{text});
  } catch (...) {
    // A line that cannot be written has nowhere to be complained about.
  }
}

// spdlog would create it readable for all.
result<done> create_file(const std::string& path) {
  const int file
    = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file < 0)
    return fail(errc::unavailable,
                path + ": " + std::generic_category().message(errno));
  ::close(file);
  return done{};
}

std::unique_ptr<log_output> make_output(const log_settings& settings,
                                        metrics::registry& figures) {
  auto out = std::make_unique<log_output>();
  spdlog::sink_ptr sink;
  if (settings.file.empty())
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  else
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.file);
  if (settings.async) {
    out->pool
      = std::make_shared<spdlog::details::thread_pool>(async_queue_lines, 1);
    out->logger = std::make_shared<spdlog::async_logger>(
      "rollcall", sink, out->pool,
      spdlog::async_overflow_policy::overrun_oldest);
  } else {
    out->logger = std::make_shared<spdlog::logger>("rollcall", sink);
  }
  out->logger->set_pattern("%v");
  out->logger->set_level(spdlog::level::trace);
  out->logger->flush_on(spdlog::level::trace);
  out->json = settings.format == log_format::json
              || (settings.format == log_format::automatic
                  && (!settings.file.empty() || ::isatty(STDOUT_FILENO) == 0));
  for (std::size_t i = 0; i < out->lines.size(); ++i)
    out->lines.at(i) = &figures.make_counter(
      "rollcall_log_lines_total", "Log lines written, by level.",
      {{"level", std::string{to_string(static_cast<log_level>(i))}}});
  out->suppressed = &figures.make_counter("rollcall_log_suppressed_total",
                                          "Log lines dropped as too many.");
  return out;
}

} // namespace

result<done> start_logging(const log_settings& settings,
                           metrics::registry& figures) {
  if (!settings.file.empty())
    if (auto created = create_file(settings.file); !created)
      return created;
  try {
    auto fresh = make_output(settings, figures);
    std::lock_guard guard{output_mutex};
    output = std::move(fresh);
  } catch (const std::exception& error) {
    return fail(errc::unavailable, error.what());
  }
  set_log_sink(write_line, settings.level);
  return done{};
}

void stop_logging() noexcept {
  set_log_sink(nullptr, log_level::off);
  std::lock_guard guard{output_mutex};
  if (output)
    output->logger->flush();
  // The pool's destructor writes what is queued.
  output.reset();
}

} // namespace rollcall::edge
