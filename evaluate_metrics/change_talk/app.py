"""Demonstration page of this metric."""

from kmi.metrics.demo import demo

demo("change_talk").launch()
