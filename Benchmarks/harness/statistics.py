"""Medians, bests and paired ratios of the rounds."""

from statistics import median


class Rounds:
    """One figure per contestant and round; higher is better."""

    def __init__(self):
        self.values = {}

    def add(self, name, value):
        """Notes the figure of the next round."""
        self.values.setdefault(name, []).append(value)

    def median(self, name):
        """The middle round."""
        return median(self.values[name])

    def best(self, name):
        """The best round: what the machine can do when nothing disturbs it."""
        return max(self.values[name])

    def worst(self, name):
        """The worst round."""
        return min(self.values[name])

    def ratio(self, ours, theirs):
        """Ours over theirs, round by round, and of these the middle one.

        The two figures of one round were taken seconds apart, so a machine that changes its speed
        from minute to minute changes both.
        """
        return median(a / b for a, b in zip(self.values[ours], self.values[theirs]))

    def leader(self, names):
        """The name with the highest median."""
        return max(names, key=self.median)
