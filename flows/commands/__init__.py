"""One module per verb: `configure(parser)` names its arguments, `run(args)` returns its exit code."""
