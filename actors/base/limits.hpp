#pragma once

// Every bound of the system. A queue, map or buffer without a line here is a
// bug. Configuration may lower some of these and never raises one.

#include "actors/base/instant.hpp"

#include <cstddef>
#include <cstdint>

namespace rollcall::limits {

// -- identifiers -------------------------------------------------------------

/// Session, user and namespace ids, in bytes of UTF-8.
inline constexpr std::size_t id_bytes = 128;
/// Client-chosen operation ids.
inline constexpr std::size_t op_id_bytes = 64;
/// Names of roles, permissions and live keys: `[a-z0-9_.-]`.
inline constexpr std::size_t name_bytes = 32;
/// `name` and `email` of the profile shown to others.
inline constexpr std::size_t profile_field_bytes = 128;

/// Further fields of a profile, by name, and the text of each.
inline constexpr std::size_t profile_fields = 4;
inline constexpr std::size_t profile_more_bytes = 256;
/// Ids of groups that are kept: with what sets them apart they fit a session's.
inline constexpr std::size_t group_id_bytes = id_bytes - 1;
/// Groups that a token may claim, and roles that a session may admit.
inline constexpr std::size_t groups_per_caller = 32;
inline constexpr std::size_t admitted_roles = 16;
/// A session's code.
inline constexpr std::size_t code_bytes_least = 4;
inline constexpr std::size_t code_bytes = 64;

// -- sessions ----------------------------------------------------------------

inline constexpr std::size_t participants_per_session = 50'000;
inline constexpr std::size_t members_per_session = 50'000;
inline constexpr std::size_t connections_per_participant = 32;
inline constexpr std::size_t permissions_per_member = 16;
inline constexpr std::size_t bans_per_session = 16'384;
/// Bans that one step of an erasure takes a user out of.
inline constexpr std::size_t bans_forgotten = 256;
/// Bytes of answers about a user that one step of an erasure writes anew.
inline constexpr std::size_t answers_forgotten = std::size_t{1} << 20;
/// Why somebody was banned.
inline constexpr std::size_t reason_bytes = 128;
/// The longest time that a ban can be given; one for good has no end.
inline constexpr millis ban_most{10LL * 366 * 86'400'000};
inline constexpr std::size_t live_keys = 16;
/// One live value: a number, a boolean or this much text.
inline constexpr std::size_t live_value_bytes = 128;
/// A coarse place: so much of a geohash, some 20 by 40 km. More is never kept.
inline constexpr std::size_t place_bytes = 4;
/// What a client may say of it.
inline constexpr std::size_t geohash_bytes = 12;
/// How often observers hear of one participant's activity.
inline constexpr millis activity_every{10'000};
/// Departed users whose reconnection count a session remembers.
inline constexpr std::size_t departed_per_session = 65'536;
/// How long a leased connection may count without being renewed.
inline constexpr millis lease_least{1'000};
inline constexpr millis lease_most{86'400'000};
/// Connections that were removed on purpose, of which a session remembers it.
inline constexpr std::size_t dismissed_per_session = 256;
/// Live updates of one participant: the most that a kind may allow in a second,
/// or at once.
inline constexpr std::uint32_t live_rate = 1'000;
/// How far the clock of a board's client may shift a live update into the past;
/// an age that a client gives itself hangs on no clock.
inline constexpr millis live_backdate{5'000};
/// Durable operations waiting behind one that conflicts with them.
inline constexpr std::size_t pending_per_session = 4'096;
/// Op ids each durable record remembers.
inline constexpr std::size_t op_ids_per_record = 16;
/// Batches and changes kept for clients that resume.
inline constexpr std::size_t ring_batches = 1'024;
inline constexpr std::size_t ring_changes = 16'384;
/// Participants in the first roster page, and in each further one.
inline constexpr std::size_t first_page_participants = 64;
inline constexpr std::size_t page_participants = 256;
/// Nodes that may observe one session.
inline constexpr std::size_t observers_per_session = 256;

// -- rounds, barriers, reminders ---------------------------------------------

/// Rounds of one session, open and closed.
inline constexpr std::size_t rounds_per_session = 64;
/// Answers of all rounds of one session, and their bytes.
inline constexpr std::size_t answers_per_session = 131'072;
inline constexpr std::size_t answers_bytes = std::size_t{64} << 20;
/// One answer, and how deep it may be.
inline constexpr std::size_t answer_bytes = std::size_t{32} << 10;
inline constexpr std::size_t answer_depth = 8;
/// Rules of one schema, how deep they may be, and texts one may choose from.
inline constexpr std::size_t schema_rules = 64;
inline constexpr std::size_t schema_depth = 4;
inline constexpr std::size_t answer_choices = 64;
/// Roles that a round may be for.
inline constexpr std::size_t roles_per_round = 8;
/// Beyond so many answers progress tells how many, not who.
inline constexpr std::size_t named_progress = 1'024;
/// Answers in one page of results, and about how many bytes of them.
inline constexpr std::size_t answers_page = 1'000;
inline constexpr std::size_t answers_page_bytes = std::size_t{1} << 20;
/// How long a phase, a barrier or a reminder's lead may be.
inline constexpr millis longest_wait{366LL * 86'400'000};
/// A start may be said so much after it.
inline constexpr millis start_slack{60'000};
/// A reminder that comes so much after its time is told as late.
inline constexpr millis reminder_late_after{5'000};
/// What a timer asked for could not be kept: it is tried again after this.
inline constexpr millis timer_again{1'000};
/// Entries of a session's event log.
inline constexpr std::size_t events_per_session = 4'096;

// -- groups ------------------------------------------------------------------

/// Members removed from a group of whom its sessions may not have heard.
inline constexpr std::size_t group_removals = 1'024;
/// Requests of one session that wait for a group's word on who asks, how long,
/// and how often it is asked again when the answer was overtaken.
inline constexpr std::size_t group_questions = 4'096;
inline constexpr millis group_patience{4'000};
inline constexpr std::uint32_t group_tries = 3;
/// How many partitions are told of a change of a group at the same time, and
/// how long after a round that was not heard everywhere the next one comes: at
/// first, and at most.
inline constexpr std::size_t group_told_at_once = 16;
inline constexpr millis group_again{1'000};
inline constexpr millis group_again_most{30'000};
/// Sessions that were being made when their group was deleted are found by a
/// round that begins so much later.
inline constexpr millis group_settles{5'000};
/// Sessions of a deleted group that one step finds.
inline constexpr std::size_t group_sessions = 1'024;

// -- partitions --------------------------------------------------------------

inline constexpr std::uint32_t partitions_default = 64;
inline constexpr std::uint32_t partitions_max = 256;
/// Active sessions of one partition.
inline constexpr std::size_t sessions_per_partition = 65'536;
/// Commands waiting for a session that is being activated.
inline constexpr std::size_t activation_queue = 16'384;
/// Sessions activated at once after a restart, per partition.
inline constexpr std::size_t activations_in_flight = 32;

// -- cluster -----------------------------------------------------------------

/// Commands on their way to other nodes, and those that wait for an owner.
inline constexpr std::size_t routed_commands = 65'536;
inline constexpr std::size_t held_per_partition = 16'384;
/// How long a command may wait for an owner, and for its answer from another
/// node.
inline constexpr millis routed_patience{8'000};
/// How long an edge waits for the answer to a request: whoever is refused has
/// been given up by the router as well.
inline constexpr millis request_patience = routed_patience + millis{1'000};
/// Connections that one announcement names.
inline constexpr std::size_t announced_connections = 65'536;

// -- journal and store -------------------------------------------------------

/// Commits waiting for one partition's journal.
inline constexpr std::size_t commits_per_partition = 65'536;
/// Records and bytes of one group commit.
inline constexpr std::size_t group_commits = 4'096;
inline constexpr std::size_t group_bytes = std::size_t{8} << 20;
/// Bytes of all commits that wait for the journal or the disk.
inline constexpr std::size_t commit_queue_bytes = std::size_t{64} << 20;
/// Keys that one step of an erasure removes.
inline constexpr std::size_t erase_step = 16'384;
/// Claims of one partition that wait for each other.
inline constexpr std::size_t opens_per_partition = 64;
/// Findings that one run of `verify` reports.
inline constexpr std::size_t verify_findings = 4'096;
/// One stored value. A full roster page must fit.
inline constexpr std::size_t record_bytes = std::size_t{1} << 20;

// -- history -----------------------------------------------------------------

/// Closed stays and audit entries that wait to be kept, per session, and how
/// many of them ride with one write of roster pages. What is beyond the first
/// replaces the oldest.
inline constexpr std::size_t history_waiting = 131'072;
inline constexpr std::size_t history_per_write = 4'096;
/// Kept stays that an activation looks at, newest first, for how often users
/// who are gone were here.
inline constexpr std::size_t departed_scan = departed_per_session;
/// Kept stays or entries that one question about the past looks at.
inline constexpr std::size_t history_scan = 131'072;
/// Items of one answer about the past, and buckets of a timeline.
inline constexpr std::size_t history_page_items = 1'000;
inline constexpr std::size_t history_buckets = 1'000;
/// What an audit entry says of the state before, and after.
inline constexpr std::size_t audit_text_bytes = 512;
/// A cursor: where in a table the next page begins.
inline constexpr std::size_t cursor_bytes = 1'536;
/// Questions about the past that wait for the disk.
inline constexpr std::size_t history_questions = 256;
/// Sessions of one page of a listing, those that one partition looks at for
/// it, and members of a session that it counts.
inline constexpr std::size_t list_page_items = 100;
inline constexpr std::size_t list_scan = 10'000;
inline constexpr std::size_t list_members = 1'000;
/// Groups of one caller whose sessions a listing shows.
inline constexpr std::size_t list_groups = 1'024;
/// Listings and erasures of users under way on a node.
inline constexpr std::size_t gathers_in_flight = 64;
/// Those of one connection.
inline constexpr std::size_t gathers_per_connection = 4;
/// Keys that one step of a sweep, or of the erasure of a user, looks at, and
/// those that it removes.
inline constexpr std::size_t sweep_scan = 65'536;
inline constexpr std::size_t sweep_step = 4'096;

// -- journal in NATS ---------------------------------------------------------

/// One message of a journal's stream; longer appends are cut into several.
/// Under the server's usual limit of 1 MiB.
inline constexpr std::size_t journal_part_bytes = std::size_t{512} << 10;
/// Groups of records that a stream keeps uncompacted, and bytes of them that
/// the owner keeps in memory, per partition.
inline constexpr std::size_t journal_ring_groups = 256;
inline constexpr std::size_t journal_ring_bytes = std::size_t{2} << 20;
/// Claims and appends of one partition that wait for each other.
inline constexpr std::size_t journal_queue = 64;
/// At how many ends of a stream a claim or a seal is tried, as others write
/// meanwhile. Beyond it is `unavailable`, and the planner claims again.
inline constexpr std::size_t journal_end_tries = 128;
/// Messages that a reader of a journal asks for one by one before it asks for
/// a consumer, and again whenever that one has no more.
inline constexpr std::size_t journal_read_singly = 256;
/// How long an append is waited for that may have reached the journal: as long
/// as NATS may stand still without any owner losing what it holds.
inline constexpr millis append_doubt_patience{600'000};
/// What takes so long waits for a leader: it does not count among those that
/// work at the same time. The threads of all together: one for each partition.
inline constexpr millis journal_stuck_after{50};
inline constexpr std::size_t journal_threads = partitions_max;

// -- edge --------------------------------------------------------------------

inline constexpr std::size_t attachments_per_connection = 16;
inline constexpr std::size_t frame_bytes = std::size_t{64} << 10;
inline constexpr std::size_t frame_bytes_before_auth = std::size_t{16} << 10;
inline constexpr std::size_t fragments_per_message = 64;
inline constexpr std::size_t nesting_depth = 32;
inline constexpr std::size_t container_items = 1'024;
/// A client's own request id, when it is text.
inline constexpr std::size_t request_id_bytes = 64;
/// The `resume` secret a client sends back.
inline constexpr std::size_t resume_key_bytes = 64;
inline constexpr std::size_t http_header_bytes = std::size_t{8} << 10;
inline constexpr std::size_t http_header_lines = 64;
inline constexpr std::size_t http_body_bytes = std::size_t{64} << 10;
inline constexpr std::size_t token_bytes = std::size_t{8} << 10;
/// Of the target of an HTTP request.
inline constexpr std::size_t path_segments = 8;
inline constexpr std::size_t query_fields = 8;
/// A client's own name for an HTTP request.
inline constexpr std::size_t request_name_bytes = 64;
/// How many session ids the server draws before it gives up on a free one.
inline constexpr std::uint32_t session_draws = 4;
inline constexpr millis handshake_timeout{5'000};
inline constexpr millis hello_timeout{5'000};
/// Bytes queued for one slow client before it falls back to a snapshot, and
/// before it is cut.
inline constexpr std::size_t write_queue_soft_bytes = std::size_t{1} << 20;
inline constexpr std::size_t write_queue_hard_bytes = std::size_t{16} << 20;
inline constexpr millis slow_reader_grace{10'000};
/// Requests of one connection that wait for an answer.
inline constexpr std::size_t requests_in_flight = 64;
/// Sessions of which a join may still happen that nobody waits for: how many,
/// for how long (as long as an owner may wait for a commit, and more), and how
/// often the owner is told meanwhile who is really there.
inline constexpr std::size_t doubted_sessions = 65'536;
inline constexpr millis join_doubt = append_doubt_patience + millis{90'000};
inline constexpr millis doubt_told_every{5'000};
inline constexpr std::size_t roster_page_items = 1'000;
/// Users of boards that are here, or may come back to what a lost socket left.
inline constexpr std::size_t board_users = 65'536;
/// Distinct client addresses whose connections are counted.
inline constexpr std::size_t tracked_addresses = 65'536;
/// What other threads may have told one io loop that it has not read yet.
inline constexpr std::size_t loop_inbox = 262'144;
/// Channels, and watches, of one client: its sessions, twice while it moves
/// between two views of them.
inline constexpr std::size_t channels_per_connection
  = 2 * attachments_per_connection;

// -- between nodes -----------------------------------------------------------

/// Nodes of a cluster.
inline constexpr std::size_t nodes = 256;
/// One message between nodes, in whole. Snapshots of the largest sessions
/// come near it.
inline constexpr std::size_t node_message_bytes = std::size_t{64} << 20;
/// What of it travels at once; below what a NATS server takes.
inline constexpr std::size_t node_chunk_bytes = std::size_t{256} << 10;
/// Chunks of messages that are not complete, of all senders together.
inline constexpr std::size_t reassembly_bytes = 2 * node_message_bytes;
/// How long the next of them may take.
inline constexpr millis reassembly_patience{10'000};
/// Messages and their estimated bytes that wait to be sent.
inline constexpr std::size_t bus_queue = 65'536;
inline constexpr std::size_t bus_queue_bytes = 2 * node_message_bytes;
/// Changes of one batch: every participant may leave at the same tick.
inline constexpr std::size_t changes_per_batch = 262'144;
/// Connections that one note of an edge speaks of.
inline constexpr std::size_t connections_per_note = 262'144;
/// Keys of one live change: several updates of a tick become one.
inline constexpr std::size_t live_update_keys = 16 * live_keys;
/// The message of a failure.
inline constexpr std::size_t failure_bytes = 1'024;

// -- membership and placement ------------------------------------------------

/// How often a node says that it is there, and how close together two such
/// words may be when something has changed.
inline constexpr millis heartbeat_every{250};
inline constexpr millis heartbeat_spacing{50};
/// Silence after which a node is suspected, after which the sockets of its
/// edge count as gone, and after which it is forgotten.
inline constexpr millis suspect_after{1'500};
inline constexpr millis edge_lease{6'000};
inline constexpr millis forget_after{10'000};
/// Age of a node's own echo from which on it does not judge others, and from
/// which on it is detached.
inline constexpr millis deaf_after{750};
inline constexpr millis detached_after{3'000};
/// How long a node that was detached waits, once it hears again, for what
/// others have to say of who is at their edges (they say it every 5 s), and how
/// long it takes a claim that found no journal for a sign that what it owns may
/// be another's.
inline constexpr millis heard_again{6'000};
inline constexpr millis journal_missed{10'000};
/// How long a node that could not hear itself for limits::suspect_after must
/// have heard itself again before it answers for what it owns: the others have
/// spoken twice by then, and one of them may own it now.
inline constexpr millis lease_begins_after{600};
/// How many of its own heartbeats a node must hear before the silence of
/// another is suspect: a bus that flaps is nobody's fault.
inline constexpr std::uint64_t suspect_echoes = 4;
/// How much later than its tick a node may come before the time it slept is
/// nobody's silence.
inline constexpr millis stall_after{300};
/// How far the wall clocks of two nodes may be apart; in how many heartbeats of
/// a node we look for the one that shows best where its clock is; how long
/// clocks must be found apart, or together, before anything is done about it,
/// and how long a node has been up when that begins to count.
inline constexpr millis clocks_differ{10'000};
inline constexpr std::size_t clock_samples = 8;
inline constexpr millis clocks_settle{3'000};
/// How long all nodes must have read a form of records before it is written:
/// until then any of them may go back to the build it came from.
inline constexpr millis form_settles{10LL * 60 * 1'000};
/// How long the set of live core nodes must not change to become a view.
inline constexpr millis view_settles_after{500};
/// A node that comes to a running cluster is busy for so long: stores are
/// opened and copies brought up to date. What it takes over meanwhile would
/// wait for that.
inline constexpr millis warm_after{5'000};
/// Own heartbeats whose echo is awaited.
inline constexpr std::size_t heartbeats_in_flight = 64;
/// Earlier incarnations of a name that are told from new ones.
inline constexpr std::size_t incarnations_remembered = 4;
/// What has happened since somebody asked.
inline constexpr std::size_t membership_events = 1'024;
/// Share of the partitions, relative to others.
inline constexpr std::uint32_t node_weight = 10'000;
/// Between two claims of one partition by one node.
inline constexpr millis claim_every{1'000};
/// A claim waits for the better placed, and a little to spread the load.
inline constexpr millis claim_rank_delay{200};
inline constexpr millis claim_jitter{100};
/// An ownerless partition that the best placed node has not taken for this
/// long falls to the next, who keeps it at least so long, and twice as long
/// each time it happens again, up to the longest.
inline constexpr millis claim_patience{10'000};
inline constexpr millis fallback_keeps{30'000};
inline constexpr millis fallback_keeps_longest{30 * 60'000};
/// Partitions that one node takes or gives up within a second.
inline constexpr std::size_t moves_per_second = 32;
/// Clusters of up to so many core nodes keep every partition on all of them;
/// in larger ones each partition is kept by so many, its owner included.
inline constexpr std::size_t cores_that_keep_all = 5;
inline constexpr std::size_t copies = 3;
/// How long all known nodes are heard before a lost journal is made anew: the
/// longest that what a node says of its copies is behind them, and more.
inline constexpr millis copies_settle{3'000};
/// After an attempt to make a journal anew that failed: each leaves a stream.
inline constexpr millis make_anew_again{10'000};
/// In how many ticks a standby has looked at every journal, how many that have
/// news it looks at in one, and how much of one it takes at once.
inline constexpr std::uint32_t standby_round = 10;
inline constexpr std::size_t standby_urgent = 16;
inline constexpr std::size_t standby_bytes = std::size_t{1} << 20;
/// How long a session that is handed over may wait for its last commit.
inline constexpr millis session_gives_within{1'000};
/// How long what was handed over waits for the rest of its partition, and how
/// much may wait.
inline constexpr millis arrivals_patience{5'000};
inline constexpr std::size_t arrivals = 131'072;
/// How long a node that goes gives its partitions to others.
inline constexpr millis drain_patience{8'000};
/// Partitions that a node gave up and nobody has taken yet.
inline constexpr std::size_t handovers_in_flight = 8;

// -- operations --------------------------------------------------------------

/// Label combinations of all metrics together.
inline constexpr std::size_t metric_series = 4'096;
/// One text value of a log line; the rest is cut off.
inline constexpr std::size_t log_value_bytes = 64;
/// The same of a failure's message: it ends in what to do.
inline constexpr std::size_t log_failure_bytes = 512;
/// Distinct (subject, event) pairs whose rate the log watches.
inline constexpr std::size_t log_event_keys = 1'024;
/// A configuration file, and a secret file.
inline constexpr std::size_t config_file_bytes = std::size_t{1} << 20;
inline constexpr std::size_t secret_file_bytes = std::size_t{4} << 10;
/// Keys for tokens, and kinds, that a configuration may name.
inline constexpr std::size_t token_keys = 64;
inline constexpr std::size_t kinds = 64;

static_assert(page_participants
                  * (3 * id_bytes + 2 * profile_field_bytes
                     + profile_fields * (name_bytes + profile_more_bytes))
                <= record_bytes,
              "a roster page with the longest names fits one record");
static_assert(write_queue_soft_bytes < write_queue_hard_bytes,
              "a slow reader is offered a snapshot before it is cut");
static_assert(heartbeats_in_flight * heartbeat_spacing >= detached_after,
              "an echo that still counts is remembered");
static_assert(partitions_max * millis{1'000}
                < moves_per_second * claim_patience,
              "a node may take all partitions before others lose patience");
static_assert(frame_bytes_before_auth > token_bytes,
              "a token fits the first frame");

} // namespace rollcall::limits
