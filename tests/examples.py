"""How many examples hypothesis makes where a suite runs again and again: few, and always the same.

A pytest plugin: `-p tests.examples --hypothesis-profile=few`.
"""

from hypothesis import HealthCheck, settings

FEW = 20

settings.register_profile(
    "few", max_examples=FEW, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
