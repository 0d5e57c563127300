"""CPython's weakref: the same jobs, with the same answers, as child.ts."""

import gc
import json
import statistics
import sys
import time
import tracemalloc
import weakref

PER_TURN = 1000


class Thing:
    __slots__ = ("i", "__weakref__")

    def __init__(self, i):
        self.i = i


class Key:
    """A key by value, the cheapest to hash and compare that there is."""

    __slots__ = ("i", "__weakref__")

    def __init__(self, i):
        self.i = i

    def __eq__(self, that):
        return type(that) is Key and self.i == that.i

    def __hash__(self):
        return self.i


made = 0


def by_value(n):
    global made
    made += n
    return [Key(i) for i in range(made - n, made)]


def strings(n):
    return ["key-%d" % i for i in range(n)]


def things(n):
    return [Thing(i) for i in range(n)]


def numbers(n):
    return list(range(n))


def same(keys):
    return keys


def equal(keys):
    return [Key(key.i) for key in keys]


VALUE_MAP = (weakref.WeakValueDictionary, things)
KEY_MAP = (weakref.WeakKeyDictionary, numbers)
SET = (weakref.WeakSet, numbers)

SUBJECTS = {
    "WeakValueMap, string keys": (*VALUE_MAP, strings, same),
    "WeakValueMap, object keys": (*VALUE_MAP, by_value, same),
    "WeakValueMap, equal keys": (*VALUE_MAP, by_value, equal),
    "WeakValueMap by reference": (*VALUE_MAP, things, same),
    "WeakKeyMap": (*KEY_MAP, by_value, same),
    "WeakKeyMap, equal keys": (*KEY_MAP, by_value, equal),
    "WeakKeyMap by reference": (*KEY_MAP, things, same),
    "WeakKeyMap by reference, object values": (weakref.WeakKeyDictionary, things, things, same),
    "WeakSet": (*SET, by_value, same),
    "WeakSet by reference": (*SET, things, same),
}


def measure(name, n, run, start=None, turns=200):
    """The median and the mean of the turns, in nanoseconds an operation."""
    samples = []
    position = n
    for _ in range(turns):
        if position + PER_TURN > n:
            position = 0
            if start is not None:
                start()
        before = time.perf_counter_ns()
        run(position, position + PER_TURN)
        samples.append((time.perf_counter_ns() - before) / PER_TURN)
        position += PER_TURN
    return {"name": name, "unit": "ns", "value": statistics.median(samples), "mean": statistics.fmean(samples)}


def measure_long(name, n, run, start=None):
    """The median of a few runs of n operations."""
    samples = []
    for _ in range(5):
        if start is not None:
            start()
        before = time.perf_counter_ns()
        run(0, n)
        samples.append((time.perf_counter_ns() - before) / n)
    return {"name": name, "unit": "ns", "value": statistics.median(samples)}


class Collection:
    """The operations of a collection, in the order in which they are measured."""

    def __init__(self, subject, n):
        self.make, values_of, keys_of, probes_of = SUBJECTS[subject]
        self.is_set = self.make is weakref.WeakSet
        self.n = n
        self.keys = keys_of(n)
        self.values = values_of(n)
        self.others = values_of(n)
        self.probes = probes_of(self.keys)
        self.missing = keys_of(2 * n)[n:]
        self.round = 0
        self.empty()

    def empty(self):
        self.self = self.make()
        self.is_full = False

    def fill(self):
        if not self.is_full:
            self.empty()
            self.set_new(0, self.n)
            self.is_full = True

    def set_new(self, start, stop):
        self.set_all(self.keys, self.values, start, stop)

    def set_all(self, keys, values, start, stop):
        table = self.self
        if self.is_set:
            add = table.add
            for i in range(start, stop):
                add(keys[i])
        else:
            for i in range(start, stop):
                table[keys[i]] = values[i]

    def get_all(self, keys, start, stop):
        table = self.self
        if self.is_set:
            for i in range(start, stop):
                keys[i] in table
        else:
            get = table.get
            for i in range(start, stop):
                get(keys[i])

    def hit(self, start, stop):
        self.get_all(self.probes, start, stop)

    def miss(self, start, stop):
        self.get_all(self.missing, start, stop)

    def start_iteration(self):
        self.fill()
        self.iterator = iter(self.self) if self.is_set else iter(self.self.items())

    def iterate(self, start, stop):
        step = self.iterator.__next__
        for _ in range(start, stop):
            step()

    def start_overwrite(self):
        self.fill()
        self.round += 1

    def overwrite(self, start, stop):
        self.set_all(self.probes, self.others if self.round % 2 else self.values, start, stop)

    def start_remove(self):
        self.fill()
        self.is_full = False

    def remove(self, start, stop):
        table = self.self
        probes = self.probes
        if self.is_set:
            for i in range(start, stop):
                table.discard(probes[i])
        else:
            for i in range(start, stop):
                del table[probes[i]]

    def build(self, _start, _stop):
        self.kept = self.make(self.keys if self.is_set else zip(self.keys, self.values))

    def operations(self):
        return [
            ("set new", self.set_new, self.empty),
            ("get hit", self.hit, self.fill),
            ("get miss", self.miss, self.fill),
            ("iterate", self.iterate, self.start_iteration),
            ("overwrite", self.overwrite, self.start_overwrite),
            ("remove", self.remove, self.start_remove),
        ]


def collect():
    before = time.perf_counter_ns()
    gc.collect()
    return (time.perf_counter_ns() - before) / 1e6


def bytes_in_use():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def cost_of_collection(subject, n):
    make, values_of, keys_of, _ = SUBJECTS[subject]

    def fill(table, keys, values):
        if make is weakref.WeakSet:
            for key in keys:
                table.add(key)
        else:
            for key, value in zip(keys, values):
                table[key] = value

    tracemalloc.start()
    keys, values = keys_of(n), values_of(n)
    before = bytes_in_use()
    table = make()
    fill(table, keys, values)
    size = bytes_in_use() - before
    del table, keys, values
    tracemalloc.stop()

    keys, values = keys_of(n), values_of(n)
    table = make()
    fill(table, keys, values)
    live = statistics.median(collect() for _ in range(5))
    # Reference counts: they die where the last name of theirs goes, and the clean-up with them.
    before = time.perf_counter_ns()
    keys.clear()
    values.clear()
    death = (time.perf_counter_ns() - before) / 1e6
    assert len(table) == 0
    return [
        {"name": "bytes an entry", "unit": "bytes", "value": size / n},
        {"name": "full collection, all alive", "unit": "ms", "value": live},
        {"name": "full collection, all dying", "unit": "ms", "value": death},
        {"name": "death and clean-up", "unit": "ms", "value": death},
    ]


def operations_of_references(n):
    state = {}
    refs = [None] * n

    def fill():
        state["targets"] = things(n)

    def make(start, stop):
        targets = state["targets"]
        ref = weakref.ref
        for i in range(start, stop):
            refs[i] = ref(targets[i])

    def deref(start, stop):
        for i in range(start, stop):
            refs[i]()

    return [("make", make, fill), ("make again", make, None), ("deref", deref, None)]


class Account:
    def __init__(self, owner):
        self.owner = owner
        self.balance = 0

    def add(self, amount):
        self.balance += amount
        return self.balance


def operations_of_proxies(n):
    accounts = [Account("owner-%d" % i) for i in range(n)]
    functions = [(lambda i: lambda amount: amount + i)(i) for i in range(n)]
    proxies = [weakref.proxy(account) for account in accounts]
    function_proxies = [weakref.proxy(f) for f in functions]

    def read(start, stop, _owner=(accounts, functions)):
        for i in range(start, stop):
            proxies[i].owner

    def call(start, stop):
        for i in range(start, stop):
            function_proxies[i](i)

    def call_method(start, stop):
        for i in range(start, stop):
            proxies[i].add(i)

    return [("read", read, None), ("call", call, None), ("call a method", call_method, None)]


def operations_of_finalizers(n):
    state = {"targets": [], "handles": []}

    def release():
        pass

    def reopen():
        for handle in state["handles"]:
            handle.detach()
        state["handles"] = []
        state["targets"] = things(n)

    def make(start, stop):
        targets, handles = state["targets"], state["handles"]
        for i in range(start, stop):
            handles.append(weakref.finalize(targets[i], release))

    def start_run():
        reopen()
        make(0, n)

    def run(start, stop):
        handles = state["handles"]
        for i in range(start, stop):
            handles[i]()

    return [("make", make, reopen), ("run", run, start_run)]


def operations_of_callbacks(n):
    state = {}
    refs = [None] * n

    def callback(_ref):
        pass

    def fill():
        state["targets"] = things(n)

    def make(start, stop):
        targets = state["targets"]
        ref = weakref.ref
        for i in range(start, stop):
            refs[i] = ref(targets[i], callback)

    return [("make", make, fill)]


def cost_of_finalizers(subject, n):
    released = 0

    def release(_ref=None):
        nonlocal released
        released += 1

    def register(target):
        return weakref.finalize(target, release) if subject == "Finalizer" else weakref.ref(target, release)

    tracemalloc.start()
    targets = things(n)
    before = bytes_in_use()
    handles = [register(target) for target in targets]
    size = bytes_in_use() - before - sys.getsizeof(handles)
    tracemalloc.stop()
    before = time.perf_counter_ns()
    targets.clear()
    seconds = (time.perf_counter_ns() - before) / 1e9
    assert released == len(handles) == n
    return [
        {"name": "bytes each", "unit": "bytes", "value": size / n},
        {"name": "collected and run", "unit": "per second", "value": n / seconds},
    ]


def operations_of(subject, n):
    if subject == "WeakRef":
        return operations_of_references(n)
    if subject == "WeakProxy":
        return operations_of_proxies(n)
    if subject == "Finalizer":
        return operations_of_finalizers(n)
    if subject == "WeakRef.onCollect":
        return operations_of_callbacks(n)
    return Collection(subject, n).operations()


def perform(subject, kind, n):
    if kind == "cost":
        return cost_of_collection(subject, n) if subject in SUBJECTS else cost_of_finalizers(subject, n)
    if kind == "operations":
        return [measure(name, n, run, start) for name, run, start in operations_of(subject, n)]
    if subject not in SUBJECTS:
        return [measure_long(name, n, run, start) for name, run, start in operations_of(subject, n)]
    collection = Collection(subject, n)
    operations = [*collection.operations(), ("build", collection.build, None)]
    return [measure_long(name, n, run, start) for name, run, start in operations]


job = json.loads(sys.argv[1])
print(json.dumps(perform(job["subject"], job["measure"], job["n"])))
