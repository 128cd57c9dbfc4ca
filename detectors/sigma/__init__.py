"""The Sigma engine, one module per stage.

document   YAML text to documents whose every part knows its line and column
parse      a document to a Rule: metadata and a tree of predicates
predicates the tree itself: what a rule asks of an event
logsources which rows of which source a rule's log source means
covers     which predicates must be true, one of them at least, for a rule to be true
columns    an event frame, column by column, as distinct values and codes
needles    one multi-pattern pass over a column's distinct values
truth      what a predicate says of a text
keywords   the text of a whole event
fragments  a coarse sieve for it
plan       what is worked out once per source
evaluate   whether a rule's tree is true, for many rows at once
engine     all of it together: a frame in, hits out
"""
