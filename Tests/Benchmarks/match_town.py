"""What `spark-bench match --export` wrote: people, who asks, and what Spark answered."""
import csv, datetime, json, math

csv.field_size_limit(1 << 30)
EARTH_RADIUS = 6_371_008.8


def numbers(text):
    return [int(one) for one in text.strip("{}").split(",") if one]


def metres(a, b):
    """Between two places in degrees, on the sphere."""
    (a_latitude, a_longitude), (b_latitude, b_longitude) = a, b
    a_latitude, b_latitude = math.radians(a_latitude), math.radians(b_latitude)
    h = math.sin((b_latitude - a_latitude) / 2) ** 2 + math.cos(a_latitude) * math.cos(b_latitude) \
        * math.sin(math.radians(b_longitude - a_longitude) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(h)))


def percentiles(times):
    ordered = sorted(times)
    return {f"p{q}": ordered[min(len(ordered) - 1, len(ordered) * q // 100)] for q in (50, 95, 99)}


class Person:
    __slots__ = ("id", "place", "birth", "gender", "seeks", "min_age", "max_age", "reach", "last_active", "incognito")

    def __init__(self, row):
        self.id = int(row[0])
        self.place = (float(row[1]), float(row[2]))
        self.birth = row[3]
        self.gender, self.seeks, self.min_age, self.max_age = map(int, row[4:8])
        self.reach = int(row[8]) * 1000.0
        self.last_active = int(row[9])
        self.incognito = row[10] == "1"


class Probe:
    """A viewer: the data that a query needs, computed in advance for all engines."""

    def __init__(self, number, viewer, excluded, today):
        self.number, self.viewer, self.excluded = number, viewer, excluded
        born = datetime.date.fromisoformat(viewer.birth)
        self.age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        # The days of birth of those who are as old as the viewer wants; `today` is no 29 February.
        self.born_from = (today.replace(year=today.year - viewer.max_age - 1) + datetime.timedelta(days=1)).isoformat()
        self.born_to = today.replace(year=today.year - viewer.min_age).isoformat()


class Town:
    def __init__(self, directory):
        with open(f"{directory}/crowd.json") as f:
            about = json.load(f)
        self.limit, self.active_since = about["limit"], about["active_since"]
        today = datetime.date.fromisoformat(about["today"])

        def rows(name):
            with open(f"{directory}/{name}.csv", newline="") as f:
                reader = csv.reader(f)
                next(reader)
                yield from reader

        self.people = {person.id: person for person in map(Person, rows("people"))}
        self.probes = [Probe(int(number), self.people[int(viewer)], numbers(excluded), today)
                       for number, viewer, excluded in rows("probes")]
        self.answers = [numbers(ids) for _, ids in rows("answers")]

    def agrees(self, number, ids):
        """Whether an answer equals Spark's as a set, except for people as far away as the last one (to the centimetre)."""
        ours = self.answers[number]
        if len(ours) != len(ids) or len(set(ids)) != len(ids):
            return False
        here = self.probes[number].viewer.place
        if len(ours) < self.limit:
            return set(ours) == set(ids)
        last = metres(here, self.people[ours[-1]].place)
        return all(abs(metres(here, self.people[one].place) - last) < 0.01 for one in set(ours) ^ set(ids))
