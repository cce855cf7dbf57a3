"""Judges a history: what must hold whatever is killed, stopped or cut.

Pure: events in, violations out; times are arguments, in seconds of one clock.
An event is a call of the method of its name. What the observers saw is folded
here once more, apart from the client's own replica. The rules are sections
9.1 to 9.11 of the design, and `docs/protocol.md`.
"""

import collections

from chaos.observers import Observers

#: Seconds from a departure until nobody may be shown who departed.
LEFT = 1.0
DROPPED = 2.0 + 1.0
SILENT = 8.0 + 1.0
#: After a fault has ended: failover, edge lease, confirm window, grace.
AFTER_FAULT = 3.0 + 6.0 + 5.0 + 2.0 + 1.0
#: What a busy machine may add to each of these.
SLACK = 4.0
#: A drop that was resumed sooner than this never ended anything.
FORGIVEN = 0.8
#: How long an edge's own trouble excuses what is said of its clients.
EXCUSE = 25.0
#: A stay that begins this long after the fault is not excused by it, and
#: partitions have moved.
UNSETTLED = 3.0
#: A question may go unanswered around a fault only.
ANSWER_SECONDS = 6.0
BOUNDS = {"leave": LEFT, "close": LEFT, "kicked": LEFT, "removed": LEFT,
          "drop": DROPPED,
          "silence": SILENT, "lost": 6.0 + DROPPED,
          "join of unknown fate": 6.0 + DROPPED}
#: Seconds for which a `left` waits for what its participant has to say.
JUDGE_AFTER = 2.0

CLASSES = ["lost", "ghost", "false_leave", "flap", "duplicate", "went_back",
           "counts", "doubled", "diverged", "unanswered", "torn", "protocol",
           "crashed", "stuck", "replicas", "stores"]

Violation = collections.namedtuple("Violation", "kind t text")


class Stint:
    """One stay of a participant: from the answer to its join on."""

    def __init__(self, at, t, user, node):
        self.at, self.t, self.user, self.node = at, t, user, node
        self.end = self.how = None


class Fault:
    def __init__(self, t, nodes):
        self.begin, self.end, self.nodes = t, None, frozenset(nodes)

    def near(self, since, until):
        return self.begin <= until and (self.end is None or self.end >= since)


class Checker(Observers):
    def __init__(self, slack=SLACK):
        super().__init__()
        self.slack = slack
        self.violations = []
        self.faults = {}
        self.recent = []
        self.stints = collections.defaultdict(list)
        self.departures = {}
        #: the participant id of every user
        self.names = {}
        self.kicks = collections.defaultdict(list)
        self.registers = {}
        self.asks = {}
        self.first_answers = {}
        self.counted = collections.Counter()

    def wrong(self, kind, t, text):
        assert kind in CLASSES
        self.violations.append(Violation(kind, t, text))

    def totals(self):
        found = collections.Counter(v.kind for v in self.violations)
        return {kind: found[kind] for kind in CLASSES}

    # -- faults ---------------------------------------------------------------

    def fault(self, t, number, nodes, kind=""):
        """A fault begins; `nodes` are the edges that it strikes themselves."""
        self.faults[number] = Fault(t, nodes)
        self.recent.append(self.faults[number])

    def healed(self, t, number):
        self.faults[number].end = t

    def lag(self, t, seconds):
        """The clients themselves stood still: nobody's side was well."""
        one = Fault(t - seconds, ["*"])
        one.end = t
        self.recent.append(one)

    def excused(self, node, t, since=0):
        """Whether a node's own fault excuses what happens at `t` to a stay
        there that began at `since`."""
        begin = max(t - EXCUSE, since - UNSETTLED)
        return any(("*" in f.nodes or node in f.nodes) and f.near(begin, t)
                   for f in self.recent)

    def crashed(self, t, what):
        self.wrong("crashed", t, what)

    def stuck(self, t, what):
        self.wrong("stuck", t, what)

    def replicas(self, t, what):
        """Copies of a stream that should be one and the same."""
        self.wrong("replicas", t, what)

    def stores(self, t, what):
        """A node's copy of a partition that is not what its journal says."""
        self.wrong("stores", t, what)

    def protocol(self, t, user, what):
        self.wrong("protocol", t, f"{user}: {what}")

    # -- connections and stays ------------------------------------------------

    def joined(self, t, user, session, participant, node, at):
        """The answer to a join: from version `at` on the user is there."""
        key = (session, participant)
        self.names[user] = participant
        before = self.stints[key][-1] if self.stints[key] else None
        stint = Stint(tuple(at), t, user, node)
        if before and before.end is not None and before.how == "drop" \
                and t - before.end < FORGIVEN and before.node == node \
                and not any(f.near(before.end - EXCUSE, t)
                            for f in self.recent):
            # Back in time, and nobody was in trouble: as if never gone.
            before.end = before.how = None
        elif before is None or before.end is not None \
                or before.node != node:
            self.stints[key].append(stint)
        self.departures.pop(key, None)

    def ended(self, t, user, session, participant, how):
        """The end of a stay, as the one who stays knows it."""
        key = (session, participant)
        for stint in self.stints[key][-1:]:
            # A leave that had no answer ends in a drop.
            if stint.end is None or how in ("leave", "drop", "kicked"):
                self.departures[key] = (t, how, user)
            if stint.end is None:
                stint.end, stint.how = t, how

    def detached(self, t, user, session):
        """The observer gets no more of it; its version still counts."""
        view = self.views[user, session]
        view.attached = view.expecting = False

    def disconnected(self, t, user, node, code, own):
        """A connection ended: by its client, or (not `own`) under it."""
        for (one, _), view in self.views.items():
            if one == user:
                view.attached = False
        if not own and not self.excused(node, t):
            self.wrong("torn", t, f"{user} at {node}: closed with {code}")

    def forgot(self, t, user):
        """Its page was closed: what it saw is not there to go back from."""
        for key in [key for key in self.views if key[0] == user]:
            del self.views[key]

    def kick_asked(self, t, session, participant):
        self.kicks[session, participant].append(t)

    def kicked(self, t, session, participant, at):
        """The answer to a kick."""
        stints = self.stints[session, participant]
        if stints and stints[-1].at <= tuple(at):
            self.ended(t, stints[-1].user, session, participant, "kicked")

    def there(self, session):
        """The users who are in it, as they know it themselves."""
        return sorted(stints[-1].user
                      for (one, _), stints in self.stints.items()
                      if one == session and stints
                      and stints[-1].end is None)

    # -- what was asked -------------------------------------------------------

    def asked(self, t, number, user, session, op, key=None, value=None,
              op_id=None, again=False):
        """A request is sent. With `key` it writes a value under it; `again`
        says that the same op_id was sent before."""
        if op == "join":
            # From here on they may be there, whatever becomes of the answer.
            self.views[user, session].expecting = True
            self.departures.pop((session, self.names.get(user)), None)
        view = self.views[user, session]
        self.asks[number] = (t, user, session, op, key, value, op_id, again,
                             view.at)
        if key is not None:
            _, maybe = self.registers.setdefault((session, key), (None, {}))
            maybe[value] = op_id

    def answered(self, t, number, at, level):
        t0, user, session, op, key, value, op_id, again, seen = \
            self.asks.pop(number)
        at = tuple(at)
        self.counted[level] += 1
        if not again and seen is not None and at < seen:
            self.wrong("went_back", t, f"{user}, {session}: {op} answered at "
                       f"{at}, asked after {seen}")
        if op_id is not None and level == "committed":
            first, when = self.first_answers.setdefault((session, op_id),
                                                        (at, t))
            # An owner knows the version at which the one before it began
            # the change, not the one at which it was done. Partitions move
            # for a while after a fault.
            older = at < first and any(f.near(when - UNSETTLED, t)
                                       for f in self.recent)
            if first != at and not older:
                self.wrong("doubled", t, f"{user}, {session}: {op} {op_id} "
                           f"answered at {first}, then at {at}")
        if key is not None and level == "committed":
            old, maybe = self.registers[session, key]
            if value in maybe:
                # Known now; other values of unknown fate may still win.
                del maybe[value]
                self.registers[session, key] = (value, maybe)

    def refused(self, t, number, code):
        """A refusal changed nothing, but `unavailable` may have come too
        late to know."""
        _, user, session, op, key, value, _, again, _ = self.asks.pop(number)
        self.counted[code] += 1
        self.not_joined(t, user, session, op)
        if key is not None and code != "unavailable" and not again:
            self.registers[session, key][1].pop(value, None)

    def unanswered(self, t, number, node, open_still):
        t0, user, session, op = self.asks.pop(number)[:4]
        self.counted["unanswered"] += 1
        self.not_joined(t, user, session, op)
        if open_still and not any(
                f.near(t0 - ANSWER_SECONDS, t) for f in self.recent):
            self.wrong("unanswered", t, f"{user} at {node}: {op} in {session} "
                       f"has no answer after {t - t0:.1f} s")

    def not_joined(self, t, user, session, op):
        """A join that may have come through all the same, but has nobody
        behind it."""
        if op == "join" and user in self.names:
            self.departures[session, self.names[user]] = (
                t, "join of unknown fate", user)

    def read(self, t, session, key, value, by):
        """What is there now under a key, as someone else reads it."""
        known, maybe = self.registers.get((session, key), (None, {}))
        self.counted["read back"] += 1
        if value != known and value not in maybe:
            self.wrong("lost", t, f"{session}, {key}: {by} reads {value}, "
                       f"committed was {known}, possible {sorted(maybe)}")

    # -- judgement ------------------------------------------------------------

    def tick(self, t):
        """Looks at what is due: ghosts, and leaves that were nobody's wish."""
        self.look_for_ghosts(t)
        due = [key for key, (seen, *_) in self.lefts.items()
               if seen + JUDGE_AFTER <= t]
        for key in due:
            self.judge_left(key, *self.lefts.pop(key))
        self.recent = [f for f in self.recent
                       if f.end is None or f.end > t - 3 * EXCUSE]

    def deadline(self, t, bound):
        """By when a departure at `t` has to be seen by everyone."""
        due = t + bound
        for fault in sorted(self.recent, key=lambda f: f.begin):
            if fault.end is None:
                return float("inf")
            if fault.near(t - AFTER_FAULT, due):
                due = max(due, fault.end + AFTER_FAULT)
        return due + self.slack

    def look_for_ghosts(self, t):
        for (session, who), (since, how, user) in \
                list(self.departures.items()):
            if t <= self.deadline(since, BOUNDS[how]):
                continue
            seen = [other for (other, one), view in self.views.items()
                    if one == session and view.attached
                    and who in view.people]
            if seen:
                self.wrong("ghost", t, f"{session}: {user} ({how} "
                           f"{t - since:.1f} s ago) is still shown to "
                           f"{', '.join(seen)}")
            del self.departures[session, who]

    def judge_left(self, key, t, reason, observer, flap):
        session, who, at = key
        if key in self.judged:
            return
        self.judged.add(key)
        stint = next((s for s in reversed(self.stints[session, who])
                      if s.at < at or (reason == "absent" and s.at <= at)),
                     None)
        if stint is None or (stint.end is not None and stint.end <= t):
            return
        if reason in ("kicked", "absent") and any(
                k <= t for k in self.kicks[session, who]):
            return
        if self.excused(stint.node, t, stint.t):
            return
        # In one batch with their return nobody was away, but it was said.
        kind = "flap" if flap else "false_leave"
        self.wrong(kind, t, f"{session}: {observer} saw "
                   f"{stint.user} (at {stint.node}, there since {stint.at}) "
                   f"leave at {at} because of {reason}")

    def compare(self, t, session, states, there):
        """The end of a quiet phase: everyone's state of a session, as text,
        and who knows to be there."""
        if len(set(states.values())) > 1:
            self.wrong("diverged", t, f"{session}: {states}")
        for user, view in ((u, v) for (u, s), v in self.views.items()
                           if s == session and v.attached):
            users = sorted(p.get("user") for p in view.people.values())
            if users != sorted(there):
                self.wrong("diverged", t, f"{session}: {user} sees {users}, "
                           f"there are {sorted(there)}")
