"""Speed and memory of the main job beside the least that a database's own command line does for the same rows.

``python -m benchmarks --help`` lists what can be measured. Nothing here passes or fails: it prints figures.
"""
