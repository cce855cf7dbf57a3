#include "edge/past/export.hpp"

#include "edge/protocol/past_writers.hpp"

#include <concepts>
#include <optional>

namespace rollcall::edge {

namespace {

// One line of a CSV, cell by cell.
class csv_line {
public:
  explicit csv_line(std::string& out) : out_(out) {
    // nop
  }

  csv_line& cell(std::string_view text) {
    begin();
    // A spreadsheet would take these for a formula.
    constexpr std::string_view formula = "=+-@\t\r";
    bool guarded
      = !text.empty() && formula.find(text.front()) != std::string_view::npos;
    bool quoted
      = guarded || text.find_first_of(",\"\r\n") != std::string_view::npos;
    if (!quoted) {
      out_ += text;
      return *this;
    }
    out_ += '"';
    if (guarded)
      out_ += '\'';
    for (char c : text) {
      if (c == '"')
        out_ += '"';
      out_ += c;
    }
    out_ += '"';
    return *this;
  }

  template <std::integral Number>
  csv_line& cell(Number number) {
    begin();
    out_ += std::to_string(number);
    return *this;
  }

  csv_line& cell(millis at) {
    return cell(at.count());
  }

  template <class T>
  csv_line& cell(const std::optional<T>& value) {
    if (value)
      return cell(*value);
    begin();
    return *this;
  }

  void end() {
    out_ += "\r\n";
  }

private:
  void begin() {
    if (started_)
      out_ += ',';
    started_ = true;
  }

  std::string& out_;
  bool started_ = false;
};

void csv(std::string& out, const stay& one) {
  csv_line line{out};
  line.cell(one.user.str())
    .cell(one.participant.str())
    .cell(one.joined.epoch)
    .cell(one.joined.rev)
    .cell(one.from)
    .cell(one.until)
    .cell(one.until ? to_string(one.reason) : std::string_view{})
    .cell(one.reconnections)
    .end();
}

void csv(std::string& out, const person_history& who) {
  csv_line line{out};
  line.cell(who.user.str())
    .cell(who.participant.str())
    .cell(who.first_seen)
    .cell(who.last_seen)
    .cell(who.dwell)
    .cell(who.stays)
    .cell(who.reconnections)
    .cell(who.here ? 1 : 0)
    .end();
}

void csv(std::string& out, const history_bucket& one) {
  csv_line line{out};
  line.cell(one.at)
    .cell(one.present)
    .cell(one.peak)
    .cell(one.joins)
    .cell(one.leaves)
    .cell(one.unique)
    .end();
}

void csv(std::string& out, const audit_record& one) {
  csv_line line{out};
  line.cell(one.at.epoch)
    .cell(one.at.rev)
    .cell(one.when)
    .cell(one.action)
    .cell(one.actor.str())
    .cell(one.target.str())
    .cell(one.request)
    .cell(one.before)
    .cell(one.after)
    .end();
}

constexpr std::string_view stay_columns
  = "user,participant_id,epoch,rev,from,until,reason,reconnections\r\n";
constexpr std::string_view person_columns
  = "user,participant_id,first_seen,last_seen,dwell_ms,stays,reconnections,"
    "here\r\n";
constexpr std::string_view bucket_columns
  = "at,present,peak,joins,leaves,unique\r\n";
constexpr std::string_view audit_columns
  = "epoch,rev,when,action,actor,target,request,before,after\r\n";

void json(json_writer& to, const stay& one) {
  write_stay(to, one);
}

void json(json_writer& to, const person_history& who) {
  write_person(to, who);
}

void json(json_writer& to, const history_bucket& one) {
  write_bucket(to, one);
}

void json(json_writer& to, const audit_record& one) {
  write_entry(to, one);
}

template <class Items>
std::string page_of(export_format format, const Items& items, bool first,
                    std::string_view columns) {
  std::string out;
  if (format == export_format::csv && first)
    out += columns;
  for (const auto& one : items) {
    if (format == export_format::csv) {
      csv(out, one);
      continue;
    }
    json_writer to{out};
    json(to, one);
    to.finish();
    out += '\n';
  }
  return out;
}

} // namespace

std::string_view content_type(export_format format) noexcept {
  return format == export_format::csv ? "text/csv; charset=utf-8; "
                                        "header=present"
                                      : "application/x-ndjson";
}

std::string export_page(export_format format, const history_reply& page,
                        bool first) {
  if (page.summary)
    return page_of(format, page.summary->timeline, first, bucket_columns);
  if (page.what == history_view::people)
    return page_of(format, page.people, first, person_columns);
  return page_of(format, page.stays, first, stay_columns);
}

std::string export_page(export_format format, const audit_reply& page,
                        bool first) {
  return page_of(format, page.entries, first, audit_columns);
}

} // namespace rollcall::edge
