"""What rule authors work with: check, test, explain, try, import, coverage, new, promote. One module per verb."""
