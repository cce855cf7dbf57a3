#include "edge/net/evidence_book.hpp"

#include <memory>
#include <utility>

namespace rollcall::edge {

evidence_book::page* evidence_book::enter(const session_key& session) {
  auto [entry, is_new] = pages_.try_emplace(session);
  if (is_new)
    entry->second.session = session;
  ++entry->second.watches;
  return &entry->second;
}

void evidence_book::leave(page* where) {
  if (--where->watches == 0 && where->items.empty())
    pages_.erase(session_key{where->session});
}

void evidence_book::add(page* where, const connection_id& connection, sign what,
                        millis since, millis now) {
  if (where->items.empty())
    dirty_.push_back(where);
  where->items.push_back({connection, what, since});
  if (!due_)
    due_ = now + window_;
}

std::vector<note_ptr> evidence_book::take(millis now) {
  std::vector<note_ptr> notes;
  notes.reserve(dirty_.size());
  for (auto* where : dirty_) {
    evidence body;
    body.items.reserve(where->items.size());
    for (const auto& item : where->items)
      body.items.push_back(
        {item.connection, item.what, later(now - item.since, millis{0})});
    notes.push_back(std::make_shared<const note>(
      note{where->session, node_, std::move(body)}));
    std::vector<page::item>{}.swap(where->items);
    if (where->watches == 0)
      pages_.erase(session_key{where->session});
  }
  dirty_.clear();
  due_.reset();
  return notes;
}

} // namespace rollcall::edge
