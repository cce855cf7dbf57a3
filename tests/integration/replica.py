"""What a client knows of one session, applied as docs/protocol.md says.

Every push is checked as it comes: keys, versions, counts, order. What is
wrong is collected, and fails the test that the client belongs to.
"""

PARTICIPANT = {"participant_id", "state", "since_at", "connections"}
PARTICIPANT_MAYBE = {"user", "name", "email", "role", "permissions",
                     "expires_in_ms", "reconnections", "live", "profile",
                     "last_active_at", "devices"}
SETTINGS = {"membership", "access", "host", "identity", "duplicates",
            "capacity", "locked", "anonymous_views", "beat_ms",
            "suspect_after_ms", "timeout_ms", "drop_grace_ms",
            "host_reclaim_ms"}
SETTINGS_MAYBE = {"group", "roles", "default_role", "gated_media",
                  "live_rate", "live_burst", "own_names"}
PHASE_MAYBE = {"status", "until_at", "next"}
BARRIER_MAYBE = {"until_at", "opened_at", "timed_out"}
ROUND = {"round", "open", "revise", "results", "progress", "answers",
         "eligible", "submitted"}
ROUND_MAYBE = {"participants"}
COURSE = {"starts_at", "phase", "barrier", "rounds"}
REASONS = {"left", "timeout", "network", "kicked", "replaced",
           "session_ended", "edge_lost"}
CHANGES = {
    "joined": ({"participant", "present", "total"}, {"is_reconnection"}),
    "suspected": ({"participant_id", "expires_in_ms"}, set()),
    "resumed": ({"participant_id"}, set()),
    "left": ({"participant_id", "reason", "present", "total"}, set()),
    "live": ({"participant_id", "live"}, set()),
    "connection": ({"participant_id", "connections"}, {"devices"}),
    "member": ({"participant_id", "total"},
               {"user", "name", "role", "permissions", "changed", "member",
                "banned"}),
    "host": ({"host"}, set()),
    "session": ({"kind", "settings", "ended"}, {"starts_at"}),
    "activity": ({"participant_id", "last_active_at"}, set()),
    "phase": ({"phase"}, PHASE_MAYBE),
    "submission": (ROUND, ROUND_MAYBE),
    "barrier": ({"barrier"}, BARRIER_MAYBE | {"participant_id", "ready"}),
}
EVENTS = {
    "joined": ({"participant_id", "present"}, {"is_reconnection"}),
    "left": ({"participant_id", "present", "reason"}, set()),
}


def check_keys(what, value, needed, maybe=frozenset()):
    have = set(value)
    assert needed <= have, f"{what} lacks {needed - have}: {value}"
    assert have <= needed | maybe, f"{what} has {have - needed - maybe}"


def without(value, *keys):
    return {k: v for k, v in value.items() if k not in keys}


def check_participant(one):
    check_keys("participant", one, PARTICIPANT, PARTICIPANT_MAYBE)
    assert one["state"] in ("online", "suspected"), one
    assert ("expires_in_ms" in one) == (one["state"] == "suspected"), one
    for key in PARTICIPANT_MAYBE - {"expires_in_ms"}:
        assert one.get(key, "-") not in ("", 0, [], {}, None), one


class Replica:
    def __init__(self, session):
        self.session = session
        self.at = None
        self.view = None
        self.kind = None
        self.settings = {}
        self.ended = False
        self.host = None
        self.present = self.total = 0
        self.people = {}
        self.starts_at = self.phase = self.barrier = None
        self.rounds = {}
        #: every change applied, oldest first
        self.changes = []
        #: the `why` of every snapshot
        self.snapshots = []
        self.batches = 0

    def snapshot(self, push):
        roster = {"host", "participants"}
        check_keys("snapshot", push, {
            "push", "session", "view", "at", "why", "kind", "settings",
            "ended", "present", "total",
            *(roster if push["view"] == "roster" else ())},
            {"stale", *(COURSE if push["view"] == "roster" else ())})
        assert push["why"] in ("attached", "too_old", "unknown_session",
                               "epoch_changed", "slow_reader",
                               "rights_changed")
        check_keys("settings", push["settings"], SETTINGS, SETTINGS_MAYBE)
        if self.at is not None and push["why"] != "unknown_session":
            assert push["at"] >= self.at, f"{push['at']} before {self.at}"
        self.at, self.view, self.kind = push["at"], push["view"], push["kind"]
        self.settings, self.ended = push["settings"], push["ended"]
        self.present, self.total = push["present"], push["total"]
        self.snapshots.append(push["why"])
        if self.view == "roster":
            self.host = push["host"]
            self.people = {}
            for one in push["participants"]:
                check_participant(one)
                assert one["participant_id"] not in self.people, "twice"
                self.people[one["participant_id"]] = dict(one)
            self.starts_at = push.get("starts_at")
            self.phase = push.get("phase")
            self.barrier = push.get("barrier")
            if self.barrier:
                check_keys("barrier", self.barrier, {"barrier", "ready"},
                           BARRIER_MAYBE)
            self.rounds = {one["round"]: one for one in push.get("rounds", [])}
            for one in self.rounds.values():
                check_keys("round", one, ROUND, ROUND_MAYBE)
            self.check_counts()

    def check_counts(self):
        if self.view == "roster":
            assert self.present == len(self.people), \
                f"present {self.present}, roster {list(self.people)}"
        assert self.total >= self.present

    def apply(self, push):
        check_keys("changes", push, {"push", "session", "view", "from", "to",
                                     "present", "total", "changes"}, {"stale"})
        assert push.get("stale", True) is True, push
        assert push["to"] >= push["from"], push
        if push["to"] == push["from"]:
            # Where we are, or that the node is cut off or back.
            assert push["changes"] == [], push
            return
        if self.at >= push["to"]:
            return
        assert self.at == push["from"], f"gap: {self.at}, then {push}"
        assert push["view"] == self.view
        one_epoch = push["from"][0] == push["to"][0]
        rev = push["from"][1]
        for change in push["changes"]:
            # Over a change of owner revisions begin anew, and nothing says
            # where.
            assert not one_epoch or rev <= change["rev"] <= push["to"][1], push
            rev = change["rev"]
            self.apply_one(change)
            self.changes.append(change)
        self.at = push["to"]
        self.batches += 1
        self.present, self.total = push["present"], push["total"]
        self.check_counts()

    def apply_one(self, change):
        kind = change["type"]
        if self.view == "count":
            raise AssertionError(f"a change in view count: {change}")
        known = EVENTS if self.view == "events" else CHANGES
        needed, maybe = known[kind]
        check_keys(kind, change, needed | {"type", "rev"}, maybe)
        if self.view == "events":
            return
        one = self.people.get(change.get("participant_id"))
        if kind == "joined":
            joined = change["participant"]
            check_participant(joined)
            assert joined["participant_id"] not in self.people, change
            self.people[joined["participant_id"]] = dict(joined)
        elif kind == "left":
            assert change["reason"] in REASONS, change
            del self.people[change["participant_id"]]
            if self.barrier:
                self.set_ready(change["participant_id"], False)
        elif kind == "suspected":
            one["state"] = "suspected"
            one["expires_in_ms"] = change["expires_in_ms"]
        elif kind == "resumed":
            assert one["state"] == "suspected", change
            one["state"] = "online"
            one.pop("expires_in_ms", None)
        elif kind == "live":
            live = {**one.get("live", {}), **change["live"]}
            one["live"] = {k: v for k, v in live.items() if v is not None}
        elif kind == "activity":
            # A snapshot leaves out what is not later than the join.
            if change["last_active_at"] > one["since_at"]:
                one["last_active_at"] = change["last_active_at"]
            else:
                one.pop("last_active_at", None)
        elif kind == "connection":
            one["connections"] = change["connections"]
            one.pop("devices", None)
            if "devices" in change:
                one["devices"] = change["devices"]
        elif kind == "member" and "banned" in change:
            assert change["changed"] == ["banned"], change
        elif kind == "member" and one is not None:
            for key in ("role", "permissions"):
                one.pop(key, None)
                if key in change:
                    one[key] = change[key]
            if "name" in change.get("changed", []):
                one.pop("name", None)
                if "name" in change:
                    one["name"] = change["name"]
        elif kind == "host":
            self.host = change["host"]
        elif kind == "session":
            check_keys("settings", change["settings"], SETTINGS,
                       SETTINGS_MAYBE)
            self.kind, self.ended = change["kind"], change["ended"]
            self.settings = change["settings"]
            self.starts_at = change.get("starts_at")
        elif kind == "phase":
            self.phase = without(change, "type", "rev")
        elif kind == "submission":
            news = without(change, "type", "rev")
            if "participants" in news:
                known = self.rounds.get(news["round"], {})
                news["participants"] = sorted(
                    {*known.get("participants", []), *news["participants"]})
            self.rounds[news["round"]] = news
        elif kind == "barrier":
            if "participant_id" in change:
                self.set_ready(change["participant_id"], change["ready"])
            else:
                self.barrier = {**without(change, "type", "rev"), "ready": []}
        if kind in ("joined", "left"):
            assert change["present"] == len(self.people), change

    def set_ready(self, participant_id, ready):
        others = {*self.barrier["ready"]} - {participant_id}
        self.barrier["ready"] = sorted(
            others | ({participant_id} if ready else set()))

    def types(self, *wanted):
        return [c["type"] for c in self.changes
                if not wanted or c["type"] in wanted]

    def who(self):
        """The users in the roster, in its order."""
        return [one.get("user") for one in self.people.values()]

    def one(self, user):
        return next((one for one in self.people.values()
                     if one.get("user") == user), None)
