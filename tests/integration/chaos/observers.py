"""What observers see: each push folded into what its observer knows, and what
has to hold of it at once."""

import collections

#: Versions of which is remembered what they look like.
PICTURES = 5000
#: The role of whoever joins a stage: nobody has set it.
FROM_JOINING = "viewer"


class View:
    """What one observer knows of one session, over all its connections."""

    def __init__(self):
        self.at = None
        self.attached = False
        #: a join is under way: changes may continue what it had
        self.expecting = False
        self.people = {}
        self.present = self.total = 0
        self.host = None
        self.agrees = True


def fold(one, change):
    """Applies a change to the participant it names, if that one is there."""
    if one is None:
        return
    kind = change["type"]
    if kind in ("suspected", "resumed"):
        one["state"] = "suspected" if kind == "suspected" else "online"
    elif kind == "connection":
        one["connections"] = change["connections"]
    elif kind == "member":
        one["role"] = change.get("role")
    elif kind == "live":
        live = {**one.get("live", {}), **change["live"]}
        one["live"] = {k: v for k, v in live.items() if v is not None}


def picture(view):
    """All that observers of one version have to agree on."""
    people = sorted((who, one["state"], one.get("connections"),
                     one.get("role"), one.get("since_at"),
                     sorted(one.get("live", {}).items()))
                    for who, one in view.people.items())
    return repr((view.host, view.present, view.total, people))


class Observers:
    """The half of the checker that takes pushes."""

    def __init__(self):
        self.views = collections.defaultdict(View)
        #: leaves that are still to be judged: {(session, who, at): ...}
        self.lefts = {}
        self.judged = set()
        self.effects = {}
        self.pictures = collections.OrderedDict()

    def push(self, t, user, push):
        kind = push["push"]
        if kind == "snapshot":
            self.take_snapshot(t, user, push)
        elif kind == "changes":
            self.take_changes(t, user, push)

    def take_snapshot(self, t, user, push):
        session = push["session"]
        view = self.views[user, session]
        at = tuple(push["at"])
        if view.at is not None and at < view.at:
            stale = ", stale" if push.get("stale") else ""
            self.wrong("went_back", t, f"{user}, {session}: {at} after "
                       f"{view.at}, snapshot {push['why']}{stale}")
        view.at, view.attached = max(at, view.at or at), True
        view.people = {}
        for one in push.get("participants", ()):
            if one["participant_id"] in view.people:
                self.wrong("duplicate", t, f"{user}, {session} at {at}: "
                           f"{one.get('user')} twice in a snapshot")
            view.people[one["participant_id"]] = dict(one)
        view.host = push.get("host")
        self.take_counts(t, user, view, push)
        if view.at == at:
            self.take_picture(t, user, session, view)
        for key, stints in self.stints.items():
            if key[0] == session and key[1] not in view.people:
                if stints and stints[-1].end is None and stints[-1].at <= at:
                    self.lefts.setdefault(
                        (*key, at), (t, "absent", user, False))

    def take_picture(self, t, user, session, view):
        """One version is one state, whoever sees it and whenever."""
        if (session, view.at) not in self.pictures:
            while len(self.pictures) >= PICTURES:
                self.pictures.popitem(last=False)
        mine = picture(view)
        other, theirs = self.pictures.setdefault((session, view.at),
                                                 (user, mine))
        if mine != theirs and view.agrees:
            self.wrong("diverged", t, f"{session} at {view.at}: {user} sees "
                       f"{mine}, {other} saw {theirs}")
        # What differs once goes on to differ: said once.
        view.agrees = mine == theirs

    def take_counts(self, t, user, view, push):
        view.present, view.total = push["present"], push["total"]
        where = f"{user}, {push['session']} at {view.at}"
        if push["view"] == "roster" and view.present != len(view.people):
            self.wrong("counts", t, f"{where}: present {view.present}, "
                       f"{len(view.people)} in the roster")
        if view.total < view.present:
            self.wrong("counts", t, f"{where}: total {view.total} is below "
                       f"present {view.present}")

    def take_changes(self, t, user, push):
        session = push["session"]
        view = self.views[user, session]
        begin, end = tuple(push["from"]), tuple(push["to"])
        if not view.attached:
            # The last of an old subscription may come behind its end.
            if begin != view.at or not view.expecting:
                return
            view.attached = True
        if end < begin:
            self.wrong("went_back", t, f"{user}, {session}: from {begin} to "
                       f"{end}")
        if end < view.at:
            self.wrong("went_back", t, f"{user}, {session}: a batch to {end} "
                       f"after {view.at}")
        if end <= view.at:
            return
        if begin != view.at:
            self.wrong("protocol", t, f"{user}, {session}: a gap from "
                       f"{view.at} to {begin}")
        back = {(c["participant"]["participant_id"], c["rev"])
                for c in push["changes"] if c["type"] == "joined"
                and "participant" in c}
        for change in push["changes"]:
            # Which epoch a revision is of is known only inside one epoch.
            at = (end[0], change["rev"]) if begin[0] == end[0] else None
            flap = (change.get("participant_id"), change["rev"]) in back
            self.take_change(t, user, session, view, at, change, flap)
        view.at = end
        self.take_counts(t, user, view, push)
        self.take_picture(t, user, session, view)

    def take_change(self, t, user, session, view, at, change, flap):
        kind, who = change["type"], change.get("participant_id")
        where = f"{user}, {session} at {at or view.at}"
        if kind == "joined":
            joined = change["participant"]
            if joined["participant_id"] in view.people:
                self.wrong("duplicate", t, f"{where}: {joined.get('user')} "
                           "joins while there")
            view.people[joined["participant_id"]] = dict(joined)
        elif kind == "left":
            view.people.pop(who, None)
            self.take_left(t, user, session, at or view.at, change, flap)
        elif kind == "member" and at \
                and change.get("role", FROM_JOINING) != FROM_JOINING:
            self.take_effect(t, user, session, at, change)
        elif kind == "host":
            view.host = change["host"]
        fold(view.people.get(who), change)
        if kind in ("joined", "left") \
                and change["present"] != len(view.people):
            self.wrong("counts", t, f"{where}: {kind} says present "
                       f"{change['present']}, {len(view.people)} in the "
                       "roster")

    def take_left(self, t, user, session, at, change, flap):
        key = (session, change["participant_id"], at)
        if key not in self.lefts and key not in self.judged:
            self.counted[f"left: {change['reason']}"] += 1
            self.lefts[key] = (t, change["reason"], user, flap)

    def take_effect(self, t, user, session, at, change):
        """Every role that is set is new: it may take effect once."""
        key = (session, change["participant_id"], change["role"])
        first = self.effects.setdefault(key, at)
        if at > first:
            self.effects[key] = at
            self.wrong("doubled", t, f"{user}, {session}: role "
                       f"{change['role']} at {first} and again at {at}")
