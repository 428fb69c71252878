"""The walk of a spec: plan, train, harvest, analyse, label, draw, log."""
