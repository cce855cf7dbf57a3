#include "cluster/journal_format.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"

#include <algorithm>
#include <charconv>

namespace rollcall::cluster {

namespace {

constexpr std::string_view magic = "RJ";
constexpr std::uint8_t format = 1;
constexpr std::size_t checksum_bytes = 4;
constexpr std::string_view marker_words[]
  = {"rollcall journal, generation ", ", incarnation ", ", partitions "};

template <class T>
void put(std::string& to, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
    to += static_cast<char>((value >> shift) & 0xFF);
}

void put_text(std::string& to, std::string_view text) {
  put(to, static_cast<std::uint32_t>(text.size()));
  to += text;
}

// Reads from the front; remembers when there was too little.
class source {
public:
  explicit source(std::string_view bytes) : rest_(bytes) {
    // nop
  }

  template <class T>
  T number() {
    T out = 0;
    for (auto c : bytes(sizeof(T)))
      out = static_cast<T>((out << 8) | static_cast<unsigned char>(c));
    return out;
  }

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      bad_ = true;
      rest_ = {};
      return {};
    }
    auto out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

  std::string_view text() {
    return bytes(number<std::uint32_t>());
  }

  [[nodiscard]] std::string_view rest() const noexcept {
    return rest_;
  }

  [[nodiscard]] bool ok() const noexcept {
    return !bad_;
  }

private:
  std::string_view rest_;
  bool bad_ = false;
};

template <>
std::uint8_t source::number<std::uint8_t>() {
  auto one = bytes(1);
  return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one[0]);
}

std::string checksum(std::string_view bytes) {
  auto digest = sha256(bytes);
  return {reinterpret_cast<const char*>(digest.data()), checksum_bytes};
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word))
    return false;
  text.remove_prefix(word.size());
  return true;
}

bool take_number(std::string_view& text, std::uint64_t& to) {
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), to);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return bad == std::errc{};
}

failure damaged(const char* what) {
  return fail(errc::internal, std::string{"a journal message is "} + what);
}

} // namespace

epoch_t make_epoch(const journal_marker& marker, std::uint64_t claim) noexcept {
  return marker.generation * epoch_generation_unit + claim;
}

std::string to_string(const journal_marker& marker) {
  std::string out{marker_words[0]};
  out += std::to_string(marker.generation);
  out += marker_words[1];
  out += std::to_string(marker.incarnation);
  return out;
}

std::optional<journal_marker> parse_journal_marker(std::string_view text) {
  auto label = parse_journal_label(text);
  if (!label)
    return std::nullopt;
  return label->marker;
}

std::string to_string(const journal_label& label) {
  auto out = to_string(label.marker);
  if (label.partitions > 0) {
    out += marker_words[2];
    out += std::to_string(label.partitions);
  }
  return out;
}

std::optional<journal_label> parse_journal_label(std::string_view text) {
  journal_label out;
  if (!take_word(text, marker_words[0])
      || !take_number(text, out.marker.generation)
      || !take_word(text, marker_words[1])
      || !take_number(text, out.marker.incarnation)
      || out.marker.generation == 0)
    return std::nullopt;
  if (text.empty())
    return out;
  std::uint64_t partitions = 0;
  if (!take_word(text, marker_words[2]) || !take_number(text, partitions)
      || !text.empty() || partitions == 0
      || partitions > limits::partitions_max)
    return std::nullopt;
  out.partitions = static_cast<std::uint32_t>(partitions);
  return out;
}

std::string encode_base(const checkpoint& base) {
  std::string out;
  put(out, base.generation);
  put(out, base.position);
  put(out, base.epoch);
  put(out, base.incarnation);
  return out;
}

std::optional<checkpoint> decode_base(std::string_view bytes) {
  source from{bytes};
  checkpoint out;
  out.generation = from.number<std::uint64_t>();
  out.position = from.number<std::uint64_t>();
  out.epoch = from.number<std::uint64_t>();
  out.incarnation = from.number<std::uint64_t>();
  if (!from.ok() || !from.rest().empty())
    return std::nullopt;
  return out;
}

std::string encode(const journal_entry& entry) {
  std::string out{magic};
  put(out, format);
  put(out, static_cast<std::uint8_t>(entry.kind));
  put(out, entry.marker.generation);
  put(out, entry.marker.incarnation);
  put(out, entry.epoch);
  put(out, entry.op);
  put(out, entry.group);
  put(out, entry.part);
  put(out, entry.parts);
  out += entry.body;
  out += checksum(out);
  return out;
}

result<journal_entry> decode_entry(std::string_view bytes) {
  if (!bytes.starts_with(magic) || bytes.size() < magic.size() + 1)
    return damaged("not ours");
  if (static_cast<std::uint8_t>(bytes[magic.size()]) != format)
    return damaged("of a format that this version does not read");
  if (bytes.size() < checksum_bytes)
    return damaged("cut");
  auto sum = bytes.substr(bytes.size() - checksum_bytes);
  bytes.remove_suffix(checksum_bytes);
  if (sum != checksum(bytes))
    return damaged("damaged");
  source from{bytes.substr(magic.size() + 1)};
  journal_entry out;
  auto kind = from.number<std::uint8_t>();
  out.marker.generation = from.number<std::uint64_t>();
  out.marker.incarnation = from.number<std::uint64_t>();
  out.epoch = from.number<std::uint64_t>();
  out.op = from.number<std::uint64_t>();
  out.group = from.number<std::uint64_t>();
  out.part = from.number<std::uint32_t>();
  out.parts = from.number<std::uint32_t>();
  out.body = from.rest();
  if (!from.ok() || out.part >= out.parts || kind < 1 || kind > 4)
    return damaged("malformed");
  out.kind = static_cast<entry_kind>(kind);
  return out;
}

bool is_in_place(const journal_entry& entry, std::uint64_t sequence) noexcept {
  return entry.epoch == 0 || entry.epoch == make_epoch(entry.marker, sequence);
}

failure misplaced(std::uint64_t sequence) {
  return fail(errc::unavailable,
              "what stands at " + std::to_string(sequence)
                + " cannot have been written there",
              journal_fault::damaged);
}

std::string encode_records(std::span<const encoded_record> records) {
  std::string out;
  put(out, static_cast<std::uint32_t>(records.size()));
  for (const auto& one : records) {
    put_text(out, one.key);
    put(out, static_cast<std::uint8_t>(one.value.has_value()));
    if (one.value)
      put_text(out, *one.value);
  }
  return out;
}

result<std::vector<encoded_record>> decode_records(std::string_view bytes) {
  source from{bytes};
  std::vector<encoded_record> out;
  auto count = from.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && from.ok(); ++i) {
    encoded_record one;
    one.key = from.text();
    auto has_value = from.number<std::uint8_t>();
    if (has_value > 1)
      return damaged("malformed");
    if (has_value == 1)
      one.value = std::string{from.text()};
    out.push_back(std::move(one));
  }
  if (!from.ok() || !from.rest().empty())
    return damaged("malformed");
  return out;
}

std::vector<std::string> cut_into_parts(std::string bytes,
                                        std::size_t part_bytes) {
  std::vector<std::string> out;
  if (bytes.size() <= part_bytes) {
    out.push_back(std::move(bytes));
    return out;
  }
  for (std::size_t at = 0; at < bytes.size(); at += part_bytes)
    out.push_back(bytes.substr(at, part_bytes));
  return out;
}

journal_assembler::journal_assembler(journal_marker marker, std::uint64_t claim)
  : marker_(marker), claim_(claim) {
  // nop
}

// A claim that is not where it was put, or a writer that had lost its own.
bool journal_assembler::is_misplaced(const journal_entry& entry,
                                     std::uint64_t sequence) const noexcept {
  if (entry.kind == entry_kind::claim)
    return !is_in_place(entry, sequence);
  if (entry.kind != entry_kind::records)
    return false;
  return entry.epoch < highest_
         || (sequence > claim_ && entry.epoch < make_epoch(marker_, claim_));
}

bool journal_assembler::continues(const journal_entry& entry,
                                  std::uint64_t sequence) const noexcept {
  return open_ && sequence == last_ + 1 && entry.epoch == open_->epoch
         && entry.op == open_->op + 1 && entry.part == open_->part + 1
         && entry.parts == open_->parts && entry.group == open_->group;
}

result<std::optional<read_append>>
journal_assembler::take(std::uint64_t sequence, std::string_view bytes) {
  auto entry = decode_entry(bytes);
  if (!entry)
    return entry.error();
  if (entry->marker != marker_)
    return fail(errc::unavailable, "a journal message is of another stream");
  if (is_misplaced(*entry, sequence))
    return misplaced(sequence);
  if (entry->kind == entry_kind::claim) {
    // Not there when the last one was looked up: a leader was elected since.
    if (sequence > claim_)
      return fail(errc::unavailable, "the journal's last claim is another");
    open_.reset();
    highest_ = std::max(highest_, make_epoch(marker_, sequence));
    return std::optional<read_append>{};
  }
  if (entry->kind != entry_kind::records) {
    open_.reset();
    return std::optional<read_append>{};
  }
  return take_part(sequence, std::move(*entry));
}

result<std::optional<read_append>>
journal_assembler::take_part(std::uint64_t sequence, journal_entry entry) {
  const auto begins = entry.part == 0;
  const auto goes_on = !begins && continues(entry, sequence);
  if (goes_on)
    entry.body.insert(0, open_->body);
  std::optional<read_append> out;
  if ((begins || goes_on) && entry.part + 1 == entry.parts) {
    auto records = decode_records(entry.body);
    if (!records)
      return records.error();
    out = read_append{sequence, entry.epoch, entry.group, std::move(*records)};
  }
  highest_ = entry.epoch;
  last_ = sequence;
  if (begins)
    first_ = sequence;
  if (out || (!begins && !goes_on))
    open_.reset();
  else
    open_ = std::move(entry);
  return out;
}

position_t journal_assembler::settled(position_t sequence) const noexcept {
  return open_ ? first_ - 1 : sequence;
}

} // namespace rollcall::cluster
