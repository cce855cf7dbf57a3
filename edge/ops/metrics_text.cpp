#include "edge/ops/metrics_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <set>

namespace rollcall::edge {

namespace {

using metrics::label_list;
using metrics::metric_reading;
using metrics::metric_type;
using metrics::series_reading;

std::string_view name_of(metric_type type) {
  switch (type) {
  case metric_type::counter:
    return "counter";
  case metric_type::gauge:
    return "gauge";
  default:
    return "histogram";
  }
}

std::string number(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer{};
  auto [end, error]
    = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc{} ? std::string{buffer.data(), end} : "NaN";
}

void append_escaped(std::string& out, std::string_view text, bool in_quotes) {
  for (char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && in_quotes)
      out += "\\\"";
    else
      out += c;
  }
}

void append_sample(std::string& out, const std::string& name,
                   const label_list& labels, std::string_view bound,
                   const std::string& value) {
  out += name;
  char separator = '{';
  auto add = [&](std::string_view key, std::string_view text) {
    out += separator;
    out += key;
    out += "=\"";
    append_escaped(out, text, true);
    out += '"';
    separator = ',';
  };
  for (const auto& [key, text] : labels)
    add(key, text);
  if (!bound.empty())
    add("le", bound);
  if (separator == ',')
    out += '}';
  out += ' ' + value + '\n';
}

void append_histogram(std::string& out, const std::string& name,
                      const series_reading& one) {
  const auto& spread = *one.histogram;
  for (std::size_t i = 0; i < spread.counts.size(); ++i)
    append_sample(out, name + "_bucket", one.labels,
                  i < spread.bounds.size() ? number(spread.bounds[i]) : "+Inf",
                  std::to_string(spread.counts[i]));
  append_sample(out, name + "_sum", one.labels, {}, number(spread.sum));
  append_sample(out, name + "_count", one.labels, {},
                std::to_string(spread.counts.back()));
}

} // namespace

std::string metrics_text(const std::vector<metric_reading>& all) {
  std::string out;
  for (const auto& metric : all) {
    out += "# HELP " + metric.name + ' ';
    append_escaped(out, metric.help, false);
    out += "\n# TYPE " + metric.name + ' ';
    out += name_of(metric.type);
    out += '\n';
    for (const auto& one : metric.series)
      if (one.histogram)
        append_histogram(out, metric.name, one);
      else
        append_sample(out, metric.name, one.labels, {}, number(one.value));
  }
  return out;
}

std::string metrics_table(const std::vector<metric_reading>& all) {
  std::string out;
  for (const auto& metric : all) {
    std::set<std::string> keys;
    for (const auto& one : metric.series)
      for (const auto& [key, text] : one.labels)
        keys.insert(key);
    std::string labels;
    for (const auto& key : keys)
      labels += (labels.empty() ? "`" : ", `") + key + '`';
    out += "| `" + metric.name + "` | ";
    out += name_of(metric.type);
    out
      += " | " + (labels.empty() ? "–" : labels) + " | " + metric.help + " |\n";
  }
  return out;
}

} // namespace rollcall::edge
