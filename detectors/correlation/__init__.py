"""Sigma correlations: matches of rules, put together in time.

rule         a correlation as it is written, and as the cache keeps it
parse        a document to a correlation
boolean      an extended condition (`a and not b`) to terms
aggregation  the conditions of Sigma 1 (`sel | count() by x > 5`) as a rule and a correlation
link         names to rules: what a correlation needs of the matches of each
windows      matches in order of group and time, and the windows over them
metrics      what is counted, added up or ranked in each window
sequence     rules that match one after the other
evaluate     matches in, alerts out
alerts       alerts to matches and findings
exceptions   which alerts filters take

What is known at any time is a set of matches, so nothing depends on the order in which they came: docs/correlation.md.
"""
