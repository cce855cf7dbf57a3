#pragma once

// Every conversation of the system: all typed actor interfaces, a comment for
// each handler. Requests are answered exactly once; everything else is told.
// Messages are shared, immutable values, so a hop costs no copy.

#include "actors/base/errors.hpp"
#include "actors/client.hpp"
#include "actors/commands.hpp"
#include "actors/gather.hpp"
#include "actors/nodes.hpp"
#include "actors/notes.hpp"
#include "actors/ports.hpp"
#include "actors/records.hpp"
#include "actors/replies.hpp"
#include "actors/store_questions.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rollcall {

namespace atoms {

/// The fan-out tick of a session or relay.
using flush = caf::atom_constant<caf::atom("flush")>;
/// A deadline of the receiver has come.
using wake = caf::atom_constant<caf::atom("wake")>;
/// Ask for an `inspection`.
using inspect = caf::atom_constant<caf::atom("inspect")>;
/// Finish what you have and go.
using stop = caf::atom_constant<caf::atom("stop")>;
/// Tell owners who is here.
using announce = caf::atom_constant<caf::atom("announce")>;
/// Remove history whose time is over.
using sweep = caf::atom_constant<caf::atom("sweep")>;
/// Go at once: what you have belongs to somebody else now.
using yield = caf::atom_constant<caf::atom("yield")>;
/// This node is cut off from the others, or among them again.
using detached = caf::atom_constant<caf::atom("detached")>;
using attached = caf::atom_constant<caf::atom("attached")>;
/// Ask how far a partition has come.
using where = caf::atom_constant<caf::atom("where")>;
/// Write records in this form from now on: all nodes can read it.
using form = caf::atom_constant<caf::atom("form")>;
/// Give what you have to the next owner.
using hand_over = caf::atom_constant<caf::atom("hand_over")>;

} // namespace atoms

/// What an actor tells an operator: its name, key figures, last transitions
/// and what it waits for. Never personal data.
struct inspection {
  std::string actor;
  std::map<std::string, std::int64_t> figures;
  std::vector<std::string> recent;
  std::string waiting_for;
};

using inspection_ptr = std::shared_ptr<const inspection>;

// -- messages of the store ---------------------------------------------------

/// Take over a partition: claim it and read its indexes.
struct open_partition {
  partition_id partition = 0;
  node_id owner;
};

/// Read everything of one session.
struct load_session {
  partition_id partition = 0;
  session_key session;
};

/// Make these records durable, together.
struct commit {
  partition_id partition = 0;
  epoch_t epoch = 0;
  std::vector<record> records;
};

using open_partition_ptr = std::shared_ptr<const open_partition>;
using load_session_ptr = std::shared_ptr<const load_session>;
using commit_ptr = std::shared_ptr<const commit>;
using opened_ptr = std::shared_ptr<const result<opened_partition>>;
using loaded_ptr = std::shared_ptr<const result<stored_session>>;
using committed_ptr = std::shared_ptr<const result<position_t>>;

/// The journal's answer to one append, on its way back to the store actor.
struct append_answer {
  partition_id partition = 0;
  std::uint64_t ticket = 0;
  result<position_t> where = position_t{0};
};

/// The journal's answer to a claim.
struct claim_answer {
  partition_id partition = 0;
  result<checkpoint> at = checkpoint{};
};

/// What the journal of a partition that is not ours has beyond the store.
struct follow_order {
  partition_id partition = 0;
  /// Where the store stood when the journal was asked.
  checkpoint from;
  journal_tail tail;
};

using append_answer_ptr = std::shared_ptr<const append_answer>;
/// The other core nodes there ever were.
struct known_nodes {
  std::vector<std::string> names;
};

using known_nodes_ptr = std::shared_ptr<const known_nodes>;
using follow_order_ptr = std::shared_ptr<const follow_order>;
using followed_ptr = std::shared_ptr<const result<checkpoint>>;
using claim_answer_ptr = std::shared_ptr<const claim_answer>;

// -- messages between a partition and its sessions ---------------------------

/// A session's word to its partition, and a relay's to its hub.
struct session_word {
  enum class kind : std::uint8_t {
    /// Wake me at `when` (steady); replaces an earlier wish.
    wake_at,
    /// I have nothing to do; stop me if nobody wants me.
    idle,
    /// To `stop`: I have written what I must and am gone; activate me again at
    /// `when`, unless it is `never`.
    gone,
    /// To `stop`: something came in between, I stay.
    staying,
    /// The journal says that a later claim is in force.
    fenced,
  };

  session_key session;
  kind what = kind::idle;
  millis when{0};
  /// From a relay that is idle: how many orders it had taken. The hub lets it
  /// go only if it sent no more than these.
  std::uint64_t orders = 0;
};

using session_word_ptr = std::shared_ptr<const session_word>;

// -- messages of the cluster -------------------------------------------------

/// Who owns a partition now, as this node knows it. An epoch of zero: nobody.
struct ownership {
  partition_id partition = 0;
  node_id owner;
  epoch_t epoch = 0;
};

/// A partition of this node opened, failed to open, or is gone.
struct partition_word {
  enum class kind : std::uint8_t { opened, refused, fenced };

  partition_id partition = 0;
  kind what = kind::opened;
  epoch_t epoch = 0;
  /// Refused because the journal cannot be reached.
  bool journal_away = false;
};

/// An edge is gone: nobody vouches for its connections.
struct edge_gone {
  node_id edge;
};

/// A node is heard: its edge vouches for its connections.
struct edge_here {
  node_id edge;
};

/// Whether this node may answer for the partitions it owns.
struct owner_lease {
  /// Steady time from which on another may own them.
  millis until{0};
  /// Cut off for so long that it answers its own clients all the same.
  bool detached = false;
  /// The journal could not be reached: NATS may be split, and another owner on
  /// the other side. What does not exist here may exist there.
  bool journal_away = false;
};

/// A partition is to go to another node.
struct hand_over_order {
  node_id to;
};

/// A command or answer that came over the bus.
struct routed_from {
  node_id node;
  routed_command_ptr asked;
};

/// A connection of this node is in a session, or no longer.
struct presence_order {
  session_key session;
  connection_id connection;
  bool joined = false;
  /// What its stay began with; zero while its join is not answered.
  version stay{};
  /// No longer, but a join of it that nobody answered may still happen.
  bool in_doubt = false;
};

using ownership_ptr = std::shared_ptr<const ownership>;
using routed_from_ptr = std::shared_ptr<const routed_from>;
using presence_order_ptr = std::shared_ptr<const presence_order>;

} // namespace rollcall

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::command_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::reply_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::note_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::direct_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::snapshot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::inspection_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::open_partition_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::load_session_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::commit_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::opened_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::loaded_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::committed_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::append_answer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::claim_answer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::known_nodes_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::follow_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::followed_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::session_word_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::ownership_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::partition_word)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::edge_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::edge_here)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::owner_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::hand_over_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::session_transfer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::partition_transfer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::routed_from_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::routed_reply_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::heartbeat_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::presence_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::client_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::client_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::attach_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::detach_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::resync_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::wake_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::connection_id)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::store_question_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::store_findings_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::gather_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rollcall::gathered_ptr)

namespace rollcall {

/// The STORE: the only actor that waits for the disk. Spawned detached.
using store_actor = caf::typed_actor<
  /// Claims a partition and reads its `occupied` and `due` indexes.
  caf::replies_to<open_partition_ptr>::with<opened_ptr>,
  /// Reads a session. Sees every commit answered before.
  caf::replies_to<load_session_ptr>::with<loaded_ptr>,
  /// Answers when the records are durable, in order per partition; a failure
  /// means that none of them is.
  caf::replies_to<commit_ptr>::with<committed_ptr>,
  /// Applies what others appended to a partition that is not ours, and says
  /// where the store then stands. `conflict`: the store has moved since, or
  /// the partition is ours or about to be; nothing was applied.
  caf::replies_to<follow_order_ptr>::with<followed_ptr>,
  /// Where a partition stands: past every commit answered before.
  caf::replies_to<atoms::where, partition_id>::with<followed_ptr>,
  /// Keeps their names for the next start.
  caf::reacts_to<known_nodes_ptr>,
  /// Commits that come after this are kept in that form: `record_form` or an
  /// earlier one.
  caf::reacts_to<atoms::form, std::uint32_t>,
  /// The journal took or refused an append.
  caf::reacts_to<append_answer_ptr>,
  /// The journal answered a claim.
  caf::reacts_to<claim_answer_ptr>,
  /// Write the group that has gathered.
  caf::reacts_to<atoms::flush>,
  /// Write and answer what came before this, then quit.
  caf::reacts_to<atoms::stop>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// HISTORY: answers from the store what takes a while to read, beside the
/// store's own actor. Spawned detached.
using history_actor = caf::typed_actor<
  /// Sees every commit answered before.
  caf::replies_to<store_question_ptr>::with<store_findings_ptr>,
  caf::reacts_to<atoms::stop>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// The GATHERER: asks every partition, wherever it is. One per edge.
using gather_actor = caf::typed_actor<
  /// Lists sessions, or erases a user. `unavailable` while too many are under
  /// way; an answer that lacks partitions says so.
  caf::replies_to<gather_order_ptr>::with<gathered_ptr>,
  /// Time to look once more for a user who is being erased.
  caf::reacts_to<atoms::wake>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// A SESSION: owns the state of one session on its partition's owner.
using session_actor = caf::typed_actor<
  /// Decides a command. Presence is answered at once, durable changes when
  /// they are committed.
  caf::replies_to<command_ptr>::with<reply_ptr>,
  /// Takes what an edge noticed.
  caf::reacts_to<note_ptr>,
  /// Publishes what has changed since the last tick.
  caf::reacts_to<atoms::flush>,
  /// A deadline asked for by `session_word::wake_at` has come.
  caf::reacts_to<atoms::wake>,
  /// Asked by the partition after `idle`: answers `gone` or `staying`.
  caf::reacts_to<atoms::stop>,
  /// Publishes and keeps what is under way and answers with the rest. From
  /// then on the session does nothing: commands are refused as by a node that
  /// does not own them.
  caf::replies_to<atoms::hand_over>::with<session_transfer_ptr>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// A PARTITION: activates and passivates the sessions of one slice, wakes
/// them at their deadlines.
using partition_actor = caf::typed_actor<
  /// Passes a command on to its session, which it activates if need be;
  /// answers itself what is about the whole partition.
  caf::replies_to<command_ptr>::with<reply_ptr>, caf::reacts_to<note_ptr>,
  /// A session of this partition speaks.
  caf::reacts_to<session_word_ptr>,
  /// Turns the timer wheel.
  caf::reacts_to<atoms::wake>,
  /// Time to remove history that is too old.
  caf::reacts_to<atoms::sweep>,
  /// Tells every session that an edge is gone.
  caf::reacts_to<edge_gone>,
  /// Passivates every session, writing what they must, then quits.
  caf::reacts_to<atoms::stop>,
  /// Another node owns the partition: ends every session at once, writing
  /// nothing, then quits.
  caf::reacts_to<atoms::yield>,
  /// Gives every session to the next owner, says so to it, then quits.
  caf::reacts_to<hand_over_order>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// The ROUTER: finds the owner of a session's partition. One per node.
using router_actor = caf::typed_actor<
  /// Delegates to the owning partition, here or on another node. While nobody
  /// owns it the command waits, for limits::routed_patience at most.
  caf::replies_to<command_ptr>::with<reply_ptr>, caf::reacts_to<note_ptr>,
  /// Another node asks an owner here.
  caf::reacts_to<routed_from_ptr>,
  /// Another node answers.
  caf::reacts_to<routed_reply_ptr>,
  /// Who owns a partition has changed; the actor is set if this node does.
  caf::reacts_to<ownership_ptr, partition_actor>,
  /// An edge is gone: all partitions here are told.
  caf::reacts_to<edge_gone>,
  /// A node is heard, for the first time or again.
  caf::reacts_to<edge_here>,
  /// What this node owns may be answered for until then. Where it may not,
  /// commands wait; where it is detached only its own clients are answered,
  /// and no refusal is for good.
  caf::reacts_to<owner_lease>,
  /// Time to give up on what has waited too long.
  caf::reacts_to<atoms::wake>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// A NODE: this process among the others. Knows who is alive, claims the
/// partitions that fall to it and gives up those that do not.
using node_actor = caf::typed_actor<
  /// A node speaks of itself, this one included.
  caf::reacts_to<heartbeat_ptr>,
  /// A partition of this node opened, was refused or is fenced.
  caf::reacts_to<partition_word>,
  /// The owner of a partition gives it to us: its sessions first.
  caf::reacts_to<session_transfer_ptr>, caf::reacts_to<partition_transfer_ptr>,
  /// Says again who owns what.
  caf::reacts_to<atoms::announce>,
  /// Turns the clock of membership and placement.
  caf::reacts_to<atoms::wake>,
  /// Says goodbye, gives all partitions to others, then quits.
  caf::reacts_to<atoms::stop>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// A STANDBY: keeps this node's copies of others' partitions close to their
/// journals. One per node.
using standby_actor = caf::typed_actor<
  /// Looks what there is to do.
  caf::reacts_to<atoms::wake>,
  /// Quits, after the step it is at.
  caf::reacts_to<atoms::stop>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// A CONNECTION: one client. Stamps identity and rights on its requests.
using connection_actor = caf::typed_actor<
  /// A decoded request of the client, in order.
  caf::reacts_to<client_request_ptr>,
  /// The owner of a session has a word for this connection alone.
  caf::reacts_to<direct_ptr>,
  /// The socket is gone; the actor quits.
  caf::reacts_to<client_gone>,
  /// The token's end, or the time for `hello`, has come.
  caf::reacts_to<atoms::wake>,
  /// The node shuts down: say so and close.
  caf::reacts_to<atoms::stop>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// A RELAY: this node's replica of one observed session. Encodes each batch
/// once per (audience, view, dialect) and hands the bytes to the client sink.
using relay_actor = caf::typed_actor<
  /// What the owner published.
  caf::reacts_to<batch_ptr>, caf::reacts_to<snapshot_ptr>,
  /// Clients come and go.
  caf::reacts_to<attach_order_ptr>, caf::reacts_to<detach_order_ptr>,
  /// A slow client has drained its queue and wants to catch up.
  caf::reacts_to<resync_order>,
  /// Time to ask again for what has not come, or to go when nobody is left.
  caf::reacts_to<atoms::wake>,
  /// The session has a new owner: ask it for what is missing.
  caf::reacts_to<ownership_ptr>,
  /// From now on what is here may be stale, or is not any more.
  caf::reacts_to<atoms::detached>, caf::reacts_to<atoms::attached>,
  /// Quit; the hub has forgotten this relay.
  caf::reacts_to<atoms::stop>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

/// The RELAY HUB: one per edge. Finds the relay of a session and the
/// connection of a direct message; spawns relays and lets them go.
using relay_hub_actor = caf::typed_actor<
  caf::reacts_to<batch_ptr>, caf::reacts_to<snapshot_ptr>,
  caf::reacts_to<direct_ptr>, caf::reacts_to<attach_order_ptr>,
  caf::reacts_to<detach_order_ptr>, caf::reacts_to<resync_order>,
  /// This connection takes direct messages from now on.
  caf::reacts_to<connection_id, connection_actor>,
  /// This connection is gone.
  caf::reacts_to<connection_id>,
  /// A connection of ours joined a session, or left it.
  caf::reacts_to<presence_order_ptr>,
  /// A partition has a new owner: announce to it who is here, and observe.
  caf::reacts_to<ownership_ptr>,
  /// Passed on to every relay.
  caf::reacts_to<atoms::detached>, caf::reacts_to<atoms::attached>,
  /// Time to announce once more.
  caf::reacts_to<atoms::announce>,
  /// A connection of ours wants to be woken.
  caf::reacts_to<wake_order>,
  /// Turns the timer wheel.
  caf::reacts_to<atoms::wake>,
  /// A relay of ours has nobody left and may be let go.
  caf::reacts_to<session_word_ptr>,
  caf::replies_to<atoms::inspect>::with<inspection_ptr>>;

} // namespace rollcall
