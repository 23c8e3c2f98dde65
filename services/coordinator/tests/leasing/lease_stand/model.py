"""What the lease and its line are meant to do, in plain Python; nothing of it is the product's."""

from dataclasses import dataclass, field, replace

CLASSES = {"human": 0, "interactive": 1, "batch": 2}
ANSWERS, SWAPS, WINDOW, SEEN, AGEING = 20_000, 100_000, 30_000, 40_000, 60_000
"""The terms of the model, in milliseconds, as are all times: whole numbers are compared exactly."""
SILENT, NOTED = 6_000, 2_000


@dataclass
class Spot:
    """One who waits."""

    token: str
    holder: str
    priority: str
    ttl: int
    since: int
    leaves: int
    seen_until: int
    arrival: int


@dataclass
class LeaseModel:
    """One lease; times in milliseconds since the start."""

    now: int = 0
    epoch: int = 0
    state: str = "free"
    holder: str | None = None
    token: str | None = None
    since: int = 0
    ends: int = 0
    ttl: int = 0
    announced: bool = False
    ended: str = ""
    answers_until: int = 0
    spot: Spot | None = None
    line: list[Spot] = field(default_factory=list)
    arrivals: int = 0
    alive: int | None = None
    events: list[tuple[str, int, str]] = field(default_factory=list)

    def tell(self, word, holder=None, epoch=None):
        self.events.append((word, self.epoch if epoch is None else epoch, holder or self.holder))

    def take_events(self):
        taken, self.events = self.events, []
        return taken

    def order(self):
        def place(spot):
            lifted = int(max(0, self.now - spot.since) // AGEING)
            return max(0, CLASSES[spot.priority] - lifted), spot.arrival

        self.line.sort(key=place)

    def settle(self, *, looks=False):
        gap = 0 if self.alive is None else self.now - self.alive
        if gap > SILENT:
            for spot in self.line:
                spot.seen_until += gap
            if self.state == "granted":
                self.ends += gap
        if self.alive is None or gap > (NOTED if looks else SILENT):
            self.alive = self.now
        self.order()
        for spot in list(self.line):
            if self.now >= spot.seen_until or self.now >= spot.leaves:
                self.line.remove(spot)
                self.tell("dropped", spot.holder)
        self.move()

    def move(self):
        while True:
            over = self.now >= self.ends
            if self.state == "held" and over:
                self.finish("expired", self.ends)
            elif self.state == "granted" and over:
                self.tell("dropped")
                self.free()
            elif self.state == "draining" and over:
                self.free()
            elif self.state == "free" and self.line:
                self.order()
                spot = self.line.pop(0)
                self.epoch += 1
                self.state, self.spot = "granted", spot
                self.holder, self.token, self.ttl = spot.holder, spot.token, spot.ttl
                self.since, self.ends = self.now, self.now + WINDOW
                self.tell("granted")
            else:
                self.order()
                return

    def finish(self, ended, at):
        self.tell(ended)
        self.state, self.ended = "draining", ended
        self.answers_until, self.ends = at + ANSWERS, at + SWAPS

    def free(self):
        self.tell("freed")
        self.state, self.holder, self.token, self.spot = "free", None, None, None

    def hold(self, token, holder, ttl):
        if self.state != "granted":
            self.epoch += 1
        self.state, self.token, self.holder, self.ttl = "held", token, holder, ttl
        self.since, self.ends, self.announced = self.now, self.now + ttl, False
        self.tell("acquired")

    def of(self, token):
        return next((spot for spot in self.line if spot.token == token), None)

    def acquire(self, *, given, fresh, holder, ttl, wait, priority, max_wait, force):
        """Return the outcome and the token that is good now."""
        self.settle()
        if given is not None and self.token == given and self.state == "held":
            self.ttl, self.ends, self.announced = ttl, self.now + ttl, False
            self.tell("extended")
            return "extended", given
        if given is not None and self.token == given and self.state == "granted":
            self.hold(given, self.holder, ttl)
            return "held", given
        own = self.of(given) if given is not None else None
        if force:
            if own is not None:
                self.line.remove(own)
            if self.state in ("held", "granted"):
                self.tell("forced")
                if self.spot is not None and self.state == "granted":
                    self.line.append(replace(self.spot, seen_until=self.now + SEEN))
            if self.state != "free":
                self.free()
            self.hold(fresh, holder, ttl)
            self.order()
            return "held", fresh
        if own is not None:
            own.seen_until = self.now + SEEN
            return "waiting", given
        if self.state == "free":
            self.hold(fresh, holder, ttl)
            return "held", fresh
        if not wait:
            return "refused", None
        self.arrivals += 1
        until = self.now + max_wait
        spot = Spot(fresh, holder, priority, ttl, self.now, until, self.now + SEEN, self.arrivals)
        self.line.append(spot)
        self.order()
        self.tell("queued", holder)
        return "waiting", fresh

    def release(self, *, given, force):
        self.settle()
        mine = given is not None and self.token == given
        if force:
            if self.state == "free":
                return "nothing"
            if self.state in ("held", "granted"):
                self.tell("forced")
            if self.state == "granted":
                self.tell("dropped")
            self.free()
            self.move()
            return "lease"
        if mine and self.state == "granted":
            self.tell("dropped")
            self.free()
            self.move()
            return "place"
        if mine and self.state in ("held", "draining"):
            if self.state == "held":
                self.finish("released", self.now)
            return "lease"
        own = self.of(given) if given is not None else None
        if own is not None:
            self.line.remove(own)
            self.tell("dropped", own.holder)
            return "place"
        return "nothing" if self.state in ("free", "draining") else "refused"

    def look(self, given=None):
        self.settle()
        own = self.of(given) if given is not None else None
        if own is not None:
            own.seen_until = self.now + SEEN

    def tick(self, *, working):
        self.settle(looks=True)
        early = 60_000 if self.ttl > 60_000 else self.ttl / 2
        if self.state == "held" and not self.announced and self.ends - self.now <= early:
            self.announced = True
            self.tell("expiring")
        if self.state == "draining" and not working:
            self.drained(self.epoch)

    def drained(self, epoch):
        self.settle()
        if self.state == "draining" and self.epoch == epoch:
            self.free()
            self.move()

    def yield_(self, by):
        self.settle()
        if self.state not in ("held", "granted"):
            return False
        self.tell("yield_requested")
        return True

    def as_of_now(self):
        """Return the state by comparison alone, though nobody has looked yet."""
        state, ends = self.state, self.ends
        if state == "held" and self.now >= ends:
            state, ends = "draining", ends + SWAPS
        if state == "granted" and self.now >= ends:
            return "promised"
        if state == "draining" and self.now >= ends:
            state = "free"
        return "promised" if state == "free" and self.line else state

    def left(self):
        match self.state:
            case "free":
                return None
            case "draining":
                return max(0, self.answers_until - self.now)
            case _:
                return self.ends - self.now

    def latest(self):
        """Return the holders in line with when each is served at the latest."""
        at = self.left() or 0
        if self.state == "granted":
            at += self.ttl
        rows = []
        for spot in self.line:
            rows.append((spot.holder, spot.priority, at))
            at += spot.ttl
        return rows
