# Reference values for tests/stats/test_bootstrap_reference.py: run in this folder with R's
# boot (Davison and Hinkley 1997), whose data set city (example 2.8) is used: the ratio of
# two means, with its linearised variance. The replicates are stored, so that intervals
# are compared, not random numbers.
suppressMessages({library(boot); library(jsonlite)})
ratio <- function(d, i) {
  d <- d[i, ]; r <- sum(d$x) / sum(d$u); l <- (d$x - r * d$u) / mean(d$u)
  c(r, sum(l^2) / nrow(d)^2)
}
set.seed(1)
made <- boot(city, ratio, R = 999)
jackknife <- sapply(seq_len(nrow(city)), function(i) ratio(city[-i, ], seq_len(nrow(city) - 1))[1])
l <- (nrow(city) - 1) * (mean(jackknife) - jackknife)
at <- function(level) {
  ci <- boot.ci(made, conf = level, type = c("norm", "basic", "perc", "stud"),
    var.t0 = var(made$t[, 1]), var.t = made$t[, 2])
  bca <- boot.ci(made, conf = level, type = "bca", L = l)$bca
  list(level = level, basic = ci$basic[4:5], percentile = ci$percent[4:5],
    studentized = ci$student[4:5], bca = bca[4:5], bca_ranks = bca[2:3])
}
write_json(list(source = paste("R", getRversion(), "boot", packageVersion("boot")),
  u = city$u, x = city$x, value = made$t0[1], replicates = made$t[, 1],
  variances = made$t[, 2], jackknife = jackknife,
  acceleration = sum(l^3) / (6 * sum(l^2)^1.5), intervals = lapply(c(0.8, 0.9, 0.95), at)),
  "bootstrap.json", digits = 12, auto_unbox = TRUE)
