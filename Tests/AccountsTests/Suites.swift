// The suites of this target follow.
