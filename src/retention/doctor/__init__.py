"""The doctor: looks at everything an installation stands on, changes nothing, and says what to do.

Each probe is a function that gives lines. One that fails is a line too, so that an installation that is only half
there is told of as far as it can be seen. No connection is made but to the database; names are not resolved.
"""
