#include "actors/base/metrics.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace rollcall::metrics {

namespace {

constexpr std::array<double, 16> duration_bounds
  = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
     0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

constexpr std::array<double, 10> size_bounds
  = {64,     256,     1'024,     4'096,     16'384,
     65'536, 262'144, 1'048'576, 4'194'304, 16'777'216};

constexpr std::array<double, 13> count_bounds
  = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1'024, 2'048, 4'096};

bool is_word(std::string_view text) {
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9')
         && std::all_of(text.begin(), text.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                     || c == '_';
            });
}

void require(bool good, std::string_view name, const char* why) {
  if (!good)
    throw std::logic_error("metric " + std::string{name} + ": " + why);
}

void check_names(std::string_view name, metric_type type,
                 const label_list& labels) {
  require(name.starts_with("rollcall_") && is_word(name), name,
          "must be rollcall_ and a-z 0-9 _");
  require((type == metric_type::counter) == name.ends_with("_total"), name,
          "counters and only counters end in _total");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require(is_word(labels[i].first) && labels[i].first != "le", name,
            "has a bad label name");
    for (std::size_t j = 0; j < i; ++j)
      require(labels[j].first != labels[i].first, name, "repeats a label");
  }
}

} // namespace

// -- histogram ---------------------------------------------------------------

histogram::histogram(std::span<const double> bounds)
  : bounds_(bounds.begin(), bounds.end()),
    counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {
  for (std::size_t i = 1; i < bounds_.size(); ++i)
    if (!(bounds_[i - 1] < bounds_[i]))
      throw std::logic_error("histogram bounds must ascend");
}

void histogram::observe(double value) noexcept {
  auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  auto index = static_cast<std::size_t>(bound - bounds_.begin());
  counts_[index].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> histogram::counts() const {
  std::vector<std::uint64_t> out(bounds_.size() + 1);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = counts_[i].load(std::memory_order_relaxed);
  return out;
}

std::span<const double> duration_buckets() noexcept {
  return duration_bounds;
}

std::span<const double> size_buckets() noexcept {
  return size_bounds;
}

std::span<const double> count_buckets() noexcept {
  return count_bounds;
}

// -- registry ----------------------------------------------------------------

registry::series& registry::find_or_add(std::string_view name,
                                        std::string_view help, metric_type type,
                                        const label_list& labels) {
  check_names(name, type, labels);
  auto sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  auto at = families_.find(name);
  if (at == families_.end()) {
    at = families_.emplace(std::string{name}, family{}).first;
    at->second.help = help;
    at->second.type = type;
  }
  auto& found = at->second;
  require(found.type == type, name, "is registered with another type");
  auto entry = found.by_labels.find(sorted);
  if (entry != found.by_labels.end())
    return entry->second;
  require(series_count_ < limits::metric_series, name,
          "is one series too many");
  ++series_count_;
  return found.by_labels.try_emplace(std::move(sorted)).first->second;
}

counter& registry::make_counter(std::string_view name, std::string_view help,
                                const label_list& labels) {
  std::lock_guard guard{mutex_};
  auto& slot = find_or_add(name, help, metric_type::counter, labels);
  if (!slot.count)
    slot.count = std::make_unique<counter>();
  return *slot.count;
}

gauge& registry::make_gauge(std::string_view name, std::string_view help,
                            const label_list& labels) {
  std::lock_guard guard{mutex_};
  auto& slot = find_or_add(name, help, metric_type::gauge, labels);
  if (!slot.level)
    slot.level = std::make_unique<gauge>();
  return *slot.level;
}

histogram& registry::make_histogram(std::string_view name,
                                    std::string_view help,
                                    std::span<const double> bounds,
                                    const label_list& labels) {
  std::lock_guard guard{mutex_};
  auto& slot = find_or_add(name, help, metric_type::histogram, labels);
  if (!slot.spread)
    slot.spread = std::make_unique<histogram>(bounds);
  require(std::equal(bounds.begin(), bounds.end(),
                     slot.spread->bounds().begin(),
                     slot.spread->bounds().end()),
          name, "is registered with other buckets");
  return *slot.spread;
}

registry::callback_handle
registry::make_callback_gauge(std::string_view name, std::string_view help,
                              std::function<double()> read,
                              const label_list& labels) {
  std::lock_guard guard{mutex_};
  auto& slot = find_or_add(name, help, metric_type::gauge, labels);
  const auto id = ++last_callback_;
  slot.callbacks.emplace(id, std::move(read));
  return {this, id};
}

registry::callback_handle
registry::add_collector(std::function<std::vector<metric_reading>()> collect) {
  std::lock_guard guard{mutex_};
  const auto id = ++last_callback_;
  collectors_.emplace(id, std::move(collect));
  return {this, id};
}

void registry::remove_callback(std::uint64_t id) noexcept {
  std::lock_guard guard{mutex_};
  if (collectors_.erase(id) > 0)
    return;
  for (auto& [name, entry] : families_)
    for (auto& [labels, slot] : entry.by_labels)
      if (slot.callbacks.erase(id) > 0)
        return;
}

std::vector<metric_reading> registry::read() const {
  std::lock_guard guard{mutex_};
  std::vector<metric_reading> out;
  out.reserve(families_.size());
  for (const auto& [name, entry] : families_) {
    metric_reading metric{name, entry.help, entry.type, {}};
    for (const auto& [labels, slot] : entry.by_labels) {
      series_reading one{labels, 0, std::nullopt};
      if (slot.count)
        one.value = static_cast<double>(slot.count->value());
      if (slot.level)
        one.value = slot.level->value();
      for (const auto& [id, callback] : slot.callbacks)
        one.value += callback();
      if (slot.spread) {
        histogram_reading spread{slot.spread->bounds(), slot.spread->counts(),
                                 slot.spread->sum()};
        for (std::size_t i = 1; i < spread.counts.size(); ++i)
          spread.counts[i] += spread.counts[i - 1];
        one.histogram = std::move(spread);
      }
      metric.series.push_back(std::move(one));
    }
    out.push_back(std::move(metric));
  }
  for (const auto& [id, collect] : collectors_)
    for (auto& metric : collect())
      out.push_back(std::move(metric));
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

registry& default_registry() {
  static registry instance;
  return instance;
}

// -- callback_handle ---------------------------------------------------------

registry::callback_handle::callback_handle(registry* owner, std::uint64_t id)
  : owner_(owner), id_(id) {
  // nop
}

registry::callback_handle::callback_handle(callback_handle&& other) noexcept
  : owner_(std::exchange(other.owner_, nullptr)), id_(other.id_) {
  // nop
}

registry::callback_handle&
registry::callback_handle::operator=(callback_handle&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(id_, other.id_);
  return *this;
}

registry::callback_handle::~callback_handle() {
  if (owner_)
    owner_->remove_callback(id_);
}

} // namespace rollcall::metrics
