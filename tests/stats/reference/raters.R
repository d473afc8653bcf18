# Reference values for tests/stats/test_raters.py: run in this folder with R's psych, for
# the diagnoses of two raters and Cohen's (1968) weights; intervals are of Fleiss, Cohen
# and Everitt (1969).
suppressMessages({library(psych); library(jsonlite)})
table <- matrix(c(44, 5, 1, 7, 20, 3, 9, 5, 6), nrow = 3, byrow = TRUE)
made <- cohen.kappa(table)
linear <- cohen.kappa(table, w = 1 - abs(outer(1:3, 1:3, "-")) / 2)
write_json(list(source = paste("R", getRversion(), "psych", packageVersion("psych")),
  table = table, plain = made$confid[1, c(2, 1, 3)], quadratic = made$confid[2, c(2, 1, 3)],
  linear = linear$confid[2, c(2, 1, 3)]), "raters.json", digits = 12)
