#pragma once

// One partition's journal in JetStream: the protocol of claims and fenced
// appends (docs/decisions/0008-groups-in-slots.md).

#include "actors/base/limits.hpp"
#include "actors/ports.hpp"
#include "cluster/end_writer.hpp"
#include "cluster/journal_format.hpp"
#include "cluster/journal_ring.hpp"
#include "cluster/stream_calls.hpp"
#include "cluster/stream_standing.hpp"
#include "cluster/subjects.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::cluster {

struct nats_journal_config {
  /// Copies of each stream: 1, or 3 where NATS is a cluster of three or more.
  int replicas = 1;
  /// The most a partition's stream may hold; the server sets it aside.
  std::int64_t stream_bytes = std::int64_t{256} << 20;
  /// How long an append may take before it is `unavailable`, and how long a
  /// replay waits for the next message.
  millis patience{5'000};
  /// The same of an append that may have arrived: to give it up means to end
  /// the claim if it did, as its owner went on without it. Its caller's own
  /// callers are answered by limits::routed_patience.
  millis doubt_patience = limits::append_doubt_patience;
  /// The same of a claim: most elections of a stream's leader end within it
  /// (4 to 11 s on nats-server 2.9.10, of which nodes need 2 to begin), and
  /// who waits for the claim has a little longer.
  millis claim_patience{8'000};
  /// How long `follow` waits to learn where the journal stands: its caller has
  /// other journals to look after.
  millis look_patience{1'500};
  /// How long a claim waits for the list of all streams, if it knows from an
  /// earlier one which is the journal.
  millis list_patience{300};
  /// How long one message waits for its answer before it is sent again.
  millis resend_after{500};
  /// Partitions that are worked on at the same time. Those that wait longer
  /// than limits::journal_stuck_after are not counted.
  std::size_t threads = 8;
  /// How many partitions the cluster has; zero: streams do not say.
  std::uint32_t partitions = 0;
  /// The copies of a partition that other nodes speak of. Called on any
  /// thread; may be empty.
  std::function<std::vector<checkpoint>(partition_id)> heard;
};

/// Called by one thread at a time, which it keeps waiting; `follow`, `give_up`
/// and `epoch` by any other beside it.
class nats_lane {
public:
  /// All that is handed over outlives this.
  nats_lane(nats_requests& ask, const subjects& names,
            const nats_journal_config& config, partition_id partition);

  /// See `journal`. `stored` is where the caller's store stands: zeroes let a
  /// missing stream be made, anything else must be in the stream.
  [[nodiscard]] result<checkpoint>
  claim(const node_id& who, const checkpoint& stored, steady_time until);

  [[nodiscard]] result<position_t>
  append(epoch_t epoch, std::vector<encoded_record> records, steady_time until);

  /// Whether the ring is beyond its bounds, and one step against that; false
  /// when the step failed.
  [[nodiscard]] bool wants_spreading() const noexcept;
  [[nodiscard]] bool spread_one(steady_time until);

  [[nodiscard]] result<journal_tail> follow(const checkpoint& from,
                                            std::size_t bytes);

  /// See `journal`. Only for a lane that does nothing else.
  [[nodiscard]] result<done> make_anew(const checkpoint& stored,
                                       const journal::content& read);

  /// See `journal`.
  [[nodiscard]] result<done> give_up(const checkpoint& stored) const;

  /// The claim that appends may be made under; zero without one.
  [[nodiscard]] epoch_t epoch() const noexcept;

private:
  /// A message of which nobody knows whether it arrived.
  struct doubt {
    std::uint64_t op = 0;
    /// With it an append would be there that was answered otherwise.
    bool commits = false;
  };

  /// A stream, and where it ended when it was looked at.
  struct opened {
    journal_marker marker;
    position_t last = 0;
  };

  [[nodiscard]] stream_calls calls(std::uint64_t generation) const;
  [[nodiscard]] stream_id here() const noexcept;
  /// `listed`: the generation to take should the list of streams not come
  /// (config: list_patience); zero: waits for the list.
  [[nodiscard]] result<stream_facts> look(steady_time until,
                                          std::uint64_t listed = 0) const;
  [[nodiscard]] result<stream_facts> look_as_owner(epoch_t epoch,
                                                   steady_time until) const;
  /// False: there is no such stream.
  [[nodiscard]] result<bool> look_into(stream_facts& facts,
                                       steady_time until) const;
  [[nodiscard]] standing_query about(const checkpoint& stored) const;
  [[nodiscard]] result<standing> judge_for(const stream_facts& facts,
                                           const checkpoint& stored) const;
  [[nodiscard]] result<opened> open_stream(const checkpoint& stored,
                                           steady_time until);
  [[nodiscard]] result<done> create_stream(const journal_marker& marker,
                                           steady_time until);
  [[nodiscard]] result<position_t> publish_at_end(const std::string& subject,
                                                  journal_entry entry,
                                                  end_place end,
                                                  steady_time until) const;
  [[nodiscard]] result<done> seal(const journal_marker& marker, end_place end,
                                  steady_time until) const;
  [[nodiscard]] result<std::uint64_t>
  publish_copy(const journal::content& read);
  [[nodiscard]] result<position_t>
  publish_claim(const node_id& who, const opened& at, steady_time until);
  [[nodiscard]] result<position_t> publish(const std::string& subject,
                                           const journal_entry& entry,
                                           bool commits, steady_time until);
  [[nodiscard]] std::optional<result<position_t>>
  settle(const journal_entry& entry, bool commits, steady_time until);
  [[nodiscard]] result<position_t> append_one(encoded_record record,
                                              steady_time until);
  [[nodiscard]] result<position_t>
  append_group(std::vector<encoded_record> records, steady_time until);
  [[nodiscard]] result<done> spread(steady_time until);
  [[nodiscard]] result<bool> is_superseded(const spread_record& item,
                                           steady_time until);
  [[nodiscard]] result<done> load_ring(steady_time until);
  /// Says so, once for each position in a row.
  [[nodiscard]] failure damaged_copy(position_t position,
                                     const stream_facts& facts) const;
  [[nodiscard]] failure no_leader(steady_time until);
  [[nodiscard]] failure end_claim(const char* why);
  [[nodiscard]] journal_entry make_entry();

  nats_requests& ask_;
  const subjects& names_;
  const nats_journal_config& config_;
  partition_id partition_;

  std::atomic<epoch_t> epoch_{0};
  /// The youngest generation when the streams were last listed; zero: there
  /// was none.
  mutable std::atomic<std::uint64_t> listed_{0};
  /// Where a copy was last found to be damaged.
  mutable std::atomic<position_t> damaged_at_{0};
  journal_marker marker_;
  /// The sequence of the last message that is known to be ours.
  std::uint64_t tail_ = 0;
  std::uint64_t last_op_ = 0;
  /// All of them expected `tail_`: at most one arrived.
  std::vector<doubt> doubts_;
  journal_ring ring_;
  /// Up to where the ring of earlier owners is to be read; zero when it was.
  std::uint64_t ring_until_ = 0;
};

} // namespace rollcall::cluster
