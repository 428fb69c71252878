"""One piece of work on several processes: programs of their own, started, followed and ended by one.

A worker re-executes its program in every process, so it must not be the command line with its MLflow run and
its locks. It is told what to do by a file, and says what it did on its standard output.
"""
