"""The Sigma engine, one module per stage.

Reading a rule:
document    YAML text to documents whose every part knows its line and column
parse       a document to a Rule: metadata and a tree of predicates; parse_filter does so for filters
detection   the detection section: names to parts, fields and values by way of pySigma
departures  where the specification and pySigma part
chain       the modifiers of an item: which go together, and on what values
condition   the condition's grammar
lower       values to predicates; glob and regex are the two kinds of patterns, fold is text without its case
valuelist   lists of values that stand for placeholders
predicates  the tree itself: what a rule asks of an event
rule        all of it: what the cache keeps; filters is the same of filters

Running rules:
logsources  which rows of which source a rule's log source means
covers      which predicates must be true, one of them at least, for a rule to be true
plan        what is worked out once per source
columns     an event frame, column by column, as numbers of distinct values
routing     which rows take which route
vocabulary  what is known of a column's values, from one frame to the next
needles     one multi-pattern pass over values
truth       what a predicate says of a text; networks does so for many networks at once
keywords    the text of a whole event; fragments is a coarse sieve for it
evaluate    whether a rule's tree is true, for many rows at once
engine      a frame in, hits out
exceptions  which of the hits are excepted by filters

Judging rules:
eventfields  which columns the events of a route can have; tables reads such data
blind        which rules can never match on a source
"""
