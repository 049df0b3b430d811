"""Demonstration page of this metric."""

from kmi.metrics.demo import demo

demo("mi_agreement").launch()
