#pragma once

// The figures a node shows of itself. Whoever counts something registers it
// once, keeps the reference and updates an atomic; `/metrics` reads.

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::metrics {

/// Only grows. Names end in `_total`. All methods are safe on any thread.
class counter {
public:
  void add(std::uint64_t n = 1) noexcept {
    value_.fetch_add(n, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. All methods are safe on any thread.
class gauge {
public:
  void set(double value) noexcept {
    value_.store(value, std::memory_order_relaxed);
  }

  void add(double delta) noexcept {
    value_.fetch_add(delta, std::memory_order_relaxed);
  }

  [[nodiscard]] double value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<double> value_{0};
};

/// Counts observations by size, in buckets fixed at registration. All
/// methods are safe on any thread; a reading taken while others observe may
/// have a sum that is one observation ahead of its counts.
class histogram {
public:
  /// `bounds`: the inclusive upper bounds of the buckets, ascending; one more
  /// bucket takes what is above them.
  explicit histogram(std::span<const double> bounds);

  void observe(double value) noexcept;

  [[nodiscard]] const std::vector<double>& bounds() const noexcept {
    return bounds_;
  }

  /// Observations per bucket, not cumulated; one more than `bounds()`.
  [[nodiscard]] std::vector<std::uint64_t> counts() const;

  [[nodiscard]] double sum() const noexcept {
    return sum_.load(std::memory_order_relaxed);
  }

private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

/// Bounds for durations in seconds, 0.1 ms to 10 s.
[[nodiscard]] std::span<const double> duration_buckets() noexcept;
/// Bounds for sizes in bytes, 64 B to 16 MiB.
[[nodiscard]] std::span<const double> size_buckets() noexcept;
/// Bounds for counts of things, 1 to 4096.
[[nodiscard]] std::span<const double> count_buckets() noexcept;

/// Labels of one series. Values come from sets fixed in the code (an op, a
/// reason); never an id of a user, session or connection.
using label_list = std::vector<std::pair<std::string, std::string>>;

enum class metric_type : std::uint8_t { counter, gauge, histogram };

/// What a histogram held when it was read. `counts` is cumulative and ends
/// with the count of all.
struct histogram_reading {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  double sum = 0;
};

/// One series when it was read; `histogram` is set for histograms only.
struct series_reading {
  label_list labels;
  double value = 0;
  std::optional<histogram_reading> histogram;
};

/// One metric when it was read, its series in order of labels.
struct metric_reading {
  std::string name;
  std::string help;
  metric_type type = metric_type::counter;
  std::vector<series_reading> series;
};

/// All metrics of a process, or of a test. Registration takes a lock and may
/// allocate: do it once, at start. Asking again for the same name and labels
/// gives the same metric. References live as long as the registry.
///
/// A name that is not `rollcall_[a-z0-9_]+`, comes back with another type, or
/// exceeds limits::metric_series is a mistake of the program and throws
/// `std::logic_error`.
class registry {
public:
  registry() = default;
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;

  counter& make_counter(std::string_view name, std::string_view help,
                        const label_list& labels = {});

  gauge& make_gauge(std::string_view name, std::string_view help,
                    const label_list& labels = {});

  histogram& make_histogram(std::string_view name, std::string_view help,
                            std::span<const double> bounds,
                            const label_list& labels = {});

  /// Undoes the registration of a callback: after its destructor the callback
  /// runs no more. Must not outlive the registry.
  class callback_handle {
  public:
    callback_handle() = default;
    callback_handle(callback_handle&& other) noexcept;
    callback_handle& operator=(callback_handle&& other) noexcept;
    ~callback_handle();

  private:
    friend class registry;
    callback_handle(registry* owner, std::uint64_t id);

    registry* owner_ = nullptr;
    std::uint64_t id_ = 0;
  };

  /// A gauge that is asked when it is read. `read` runs on the reader's
  /// thread under the registry's lock: it must be quick, thread-safe, and not
  /// call the registry. Several callbacks of one name and labels add up.
  [[nodiscard]] callback_handle
  make_callback_gauge(std::string_view name, std::string_view help,
                      std::function<double()> read,
                      const label_list& labels = {});

  /// A source of whole metrics that are kept elsewhere: asked at each `read`,
  /// under the same rules as a callback gauge. Its names must be its own.
  [[nodiscard]] callback_handle
  add_collector(std::function<std::vector<metric_reading>()> collect);

  /// Reads everything, in order of names.
  [[nodiscard]] std::vector<metric_reading> read() const;

private:
  struct series {
    std::unique_ptr<counter> count;
    std::unique_ptr<gauge> level;
    std::unique_ptr<histogram> spread;
    std::map<std::uint64_t, std::function<double()>> callbacks;
  };

  struct family {
    std::string help;
    metric_type type = metric_type::counter;
    std::map<label_list, series> by_labels;
  };

  series& find_or_add(std::string_view name, std::string_view help,
                      metric_type type, const label_list& labels);
  void remove_callback(std::uint64_t id) noexcept;

  mutable std::mutex mutex_;
  std::map<std::string, family, std::less<>> families_;
  std::map<std::uint64_t, std::function<std::vector<metric_reading>()>>
    collectors_;
  std::size_t series_count_ = 0;
  std::uint64_t last_callback_ = 0;
};

/// The registry of the process, for those who were not given one.
[[nodiscard]] registry& default_registry();

} // namespace rollcall::metrics
