# Reference values for tests/stats/test_many_datasets.py and test_multiplicity.py: run in
# this folder with R's stats. The table is Demsar's (2006), with ties.
suppressMessages(library(jsonlite))
scores <- rbind(c(.763, .768, .771, .798), c(.599, .591, .590, .569), c(.954, .971, .968, .967),
  c(.628, .661, .654, .657), c(.882, .888, .886, .898), c(.936, .931, .916, .931),
  c(.661, .668, .609, .685), c(.583, .583, .563, .625), c(.775, .838, .866, .875),
  c(1, 1, 1, 1), c(.940, .962, .965, .962), c(.619, .666, .614, .669),
  c(.972, .981, .9751, .9749), c(.957, .978, .946, .970))
test <- friedman.test(scores)
p <- c(.04, .0007, .6, .03, .03, .2, .011, .0007, .95, .045)
adjusted <- sapply(c("holm", "bonferroni", "hommel", "BH", "BY"), function(m) p.adjust(p, m), simplify = FALSE)
write_json(list(source = paste("R", getRversion()),
  friedman = list(chi2 = as.numeric(test$statistic), df = as.numeric(test$parameter), p = test$p.value),
  p_values = p, adjusted = adjusted), "many_tests.json", digits = 15, auto_unbox = TRUE)
