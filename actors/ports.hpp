#pragma once

// The seams between actors and libraries: abstract classes of at most six
// methods, each with a real and an in-process implementation that pass one
// contract suite (tests/contract).

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/client.hpp"
#include "actors/nodes.hpp"
#include "actors/notes.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall {

// -- message_bus: between nodes ----------------------------------------------

/// What one node sends another: to the other's static inbox, at most once,
/// in order per sender while both live. Loss is repaired above (versions,
/// leases, announcements), never here.
using node_message
  = std::variant<batch_ptr, snapshot_ptr, direct_ptr, note_ptr,
                 routed_command_ptr, routed_reply_ptr, heartbeat_ptr,
                 session_transfer_ptr, partition_transfer_ptr>;

/// Carries messages to the inboxes of nodes, this one included. Thread-safe.
/// `send` never blocks; the receiver is called on a thread of the bus and may
/// only enter actors by `anon_send`.
class message_bus {
public:
  using receiver = std::function<void(const node_id& from, node_message)>;

  virtual ~message_bus() = default;

  /// Queues `message` for `to`'s inbox. An unknown node swallows it.
  virtual void send(const node_id& to, node_message message) = 0;

  /// Queues `message` for every open inbox of the cluster, this node's
  /// included: that it comes back shows that the bus works.
  virtual void broadcast(node_message message) = 0;

  /// Opens this node's inbox. Called once, before the first `send`.
  virtual void open(const node_id& self, receiver deliver) = 0;

  /// Closes the inbox; nothing is delivered after it returns. Not to be called
  /// by the receiver.
  virtual void close() = 0;
};

// -- journal: the ordered, fenced record of a partition ----------------------

/// One record as bytes. Without a value the key is removed.
struct encoded_record {
  std::string key;
  std::optional<std::string> value;

  friend bool operator==(const encoded_record&, const encoded_record&)
    = default;
};

/// The place of a partition's store in its journal.
struct checkpoint {
  /// Counts how often the journal had to be made anew, from 1.
  std::uint64_t generation = 0;
  position_t position = 0;
  /// The claim in force there.
  epoch_t epoch = 0;
  /// Tells one journal from another of the same generation: drawn when it was
  /// made, or at each start where it is the store itself.
  std::uint64_t incarnation = 0;

  friend bool operator==(const checkpoint&, const checkpoint&) = default;
};

/// One partition's appended records, to be applied at `at`.
struct applied_records {
  partition_id partition = 0;
  checkpoint at;
  std::vector<encoded_record> records;
};

/// How a store comes to follow its journal.
enum class restore_way : std::uint8_t {
  /// From where the store is.
  tail,
  /// The journal was made anew from a copy that equals the store: it goes on
  /// at `journal_tail::start`.
  adopt,
  /// The journal was made anew from a copy that holds all that the store
  /// holds: the store is emptied, put to `start`, and filled from there.
  whole,
};

/// What a journal has beyond a store.
struct journal_tail {
  restore_way way = restore_way::tail;
  checkpoint start;
  /// In order. The last may have no records and only move the checkpoint.
  std::vector<applied_records> groups;
  /// There is more behind these.
  bool more = false;
};

/// Decides which changes exist and in which order. The owner of a partition
/// keeps one append in flight. Answers may come on any thread, exactly once.
///
/// A journal that cannot be the one a store was written from (it is gone, ends
/// before the store, or is another) is neither claimed nor followed: that is
/// `unavailable`, with one of `journal_fault` as the field.
class journal {
public:
  using claimed = std::function<void(result<checkpoint>)>;
  using appended = std::function<void(result<position_t>)>;
  /// Gives all of a partition's keys and values but the checkpoint to a
  /// visitor, which returns false to stop.
  using content = std::function<result<done>(
    const std::function<bool(std::string_view, std::string_view)>&)>;

  virtual ~journal() = default;

  /// Makes `who` the owner, whoever was it before. The answer's epoch is above
  /// all earlier ones; appends under an earlier epoch are refused from now on.
  virtual void claim(partition_id partition, const node_id& who, claimed answer)
    = 0;

  /// Appends under `epoch`. `conflict` says that the claim has ended, as a
  /// rule by a later one: nothing was appended and nothing ever will be under
  /// this epoch. `unavailable` says that nothing of it was acknowledged and
  /// that a retry may work. Should it have arrived all the same, the next
  /// append is a `conflict`: it cannot come between what an owner knows.
  virtual void append(partition_id partition, epoch_t epoch,
                      std::span<const encoded_record> records, appended answer)
    = 0;

  /// What a store at `from` lacks: at most about `bytes` of it. A value that a
  /// later one has replaced may be left out, and a last one may come once
  /// more: what holds is the content at the end. A journal that is the store
  /// itself has nothing more. `conflict` says that our own claim has ended.
  /// Waits for the journal.
  virtual result<journal_tail> follow(partition_id partition,
                                      const checkpoint& from, std::size_t bytes)
    = 0;

  /// Makes a journal anew that a store at `stored` cannot follow, under the
  /// next generation, from that store's content. Of several who try at most
  /// one succeeds; whether this store is the right one the caller must know.
  /// Succeeds without doing anything if the store can follow after all.
  /// Waits for the journal, as long as the content takes.
  virtual result<done> make_anew(partition_id partition,
                                 const checkpoint& stored, const content& read)
    = 0;

  /// Ends a journal that has lost its end, as a store at `stored` or the
  /// copies of other nodes show: who knows nothing of the loss cannot claim it
  /// any more. It is to be made anew. Does nothing to any other journal.
  /// Waits for the journal.
  virtual result<done> give_up(partition_id partition, const checkpoint& stored)
    = 0;
};

/// Why a store cannot follow a journal: the field of that failure.
namespace journal_fault {
/// There is none.
inline constexpr const char* gone = "journal_gone";
/// It ends before the store, or before what others have of it.
inline constexpr const char* cut = "journal_cut";
/// It is another one: made by somebody who knew nothing of the store.
inline constexpr const char* other = "journal_other";
/// Whoever made it anew has not finished.
inline constexpr const char* incomplete = "journal_incomplete";
/// It was given up, to be made anew.
inline constexpr const char* sealed = "journal_sealed";
/// It was made anew from a copy that lacks what the store has.
inline constexpr const char* behind = "journal_behind";
/// It is not a journal, or not of this cluster.
inline constexpr const char* foreign = "journal_foreign";
/// What was read cannot have been written: this copy of it is damaged. Nothing
/// of it is taken; another copy may be whole.
inline constexpr const char* damaged = "journal_damaged";
} // namespace journal_fault

/// Whether the journal is one that `journal::make_anew` mends.
[[nodiscard]] inline bool can_be_made_anew(const failure& why) {
  return why.field == journal_fault::gone || why.field == journal_fault::cut
         || why.field == journal_fault::other
         || why.field == journal_fault::incomplete
         || why.field == journal_fault::sealed;
}

// -- store: what survives on this disk ---------------------------------------

/// Which way `store::walk` goes.
enum class walk_way : std::uint8_t { up, down };

/// Ordered bytes on disk. Written by the store actor's thread alone; one that
/// serves a running node may be read by others meanwhile.
class store {
public:
  /// Returns false to stop.
  using visitor
    = std::function<bool(std::string_view key, std::string_view value)>;

  virtual ~store() = default;

  /// Applies all groups and their checkpoints in one atomic, synced write.
  /// After an error nothing of it is there.
  virtual result<done> write(std::span<const applied_records> groups) = 0;

  /// Where the partition stands; zeroes when it was never written.
  virtual result<checkpoint> where(partition_id partition) = 0;

  virtual result<std::optional<std::string>> get(std::string_view key) = 0;

  /// Visits all keys with `prefix` in ascending order.
  virtual result<done> scan(std::string_view prefix, const visitor& visit) = 0;

  /// Visits the keys with `prefix` that lie beyond `start`, itself excluded, in
  /// the order of `way`; without `start` all of them. `start` has the prefix.
  virtual result<done> walk(std::string_view prefix, std::string_view start,
                            walk_way way, const visitor& visit)
    = 0;
};

// -- client_sink: this node's client sockets ---------------------------------

/// Bytes for the wire, framed for WebSocket; shared by all who receive them.
using frame_ptr = std::shared_ptr<const std::string>;
/// All clients that receive the same frames of one relay.
using channel_id = std::uint64_t;

/// The way out to clients. Thread-safe; never blocks; a client that is gone
/// swallows what it is sent. Order is kept per client.
class client_sink {
public:
  virtual ~client_sink() = default;

  virtual void deliver(client_ref client, frame_ptr frame) = 0;

  /// Delivers `first`, then everything published to `channel` from here on.
  virtual void subscribe(client_ref client, channel_id channel, frame_ptr first)
    = 0;

  virtual void unsubscribe(client_ref client, channel_id channel) = 0;

  /// One message per io loop, whatever the number of clients.
  virtual void publish(channel_id channel, frame_ptr frame) = 0;

  /// Report silence of this client to the session's owner from
  /// `suspect_after` on, and its end. Zero stops the reports.
  virtual void watch(client_ref client, connection_id connection,
                     const session_key& session, millis suspect_after)
    = 0;

  /// Sends `last`, then a close frame; the socket follows.
  virtual void close(client_ref client, std::uint16_t code,
                     std::string_view reason, frame_ptr last)
    = 0;
};

} // namespace rollcall
