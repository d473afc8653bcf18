# Reference values for tests/stats/test_roc.py: run in this folder with R's pROC, whose
# data set aSAH (Turck et al., Intensive Care Med. 36, 2010) is used.
suppressMessages({library(pROC); library(jsonlite)})
data(aSAH)
table <- data.frame(label = as.integer(aSAH$outcome == "Poor"), gender = aSAH$gender,
  age = aSAH$age, s100b = aSAH$s100b, ndka = aSAH$ndka, wfns = as.integer(aSAH$wfns))
write.table(table, "aSAH.tsv", sep = "\t", row.names = FALSE, quote = FALSE)
curve <- function(name, d = table) roc(d$label, d[[name]], levels = 0:1, direction = "<", quiet = TRUE)
one <- function(name) {
  r <- curve(name)
  limits <- as.numeric(ci.auc(r, method = "delong"))
  list(name = name, value = as.numeric(auc(r)), variance = var(r, method = "delong"),
       low = limits[1], high = limits[3])
}
two <- function(other) {
  test <- roc.test(curve("s100b"), curve(other), method = "delong", paired = TRUE)
  list(other = other, z = as.numeric(test$statistic), p = test$p.value,
       covariance = cov(curve("s100b"), curve(other), method = "delong"))
}
# Obuchowski (1997, Biometrics 53, 567-578), written out pair by pair: neighbours share an id.
clustered <- function(name) {
  id <- (seq_len(nrow(table)) - 1) %/% 2; y <- table$label == 1; x <- table[[name]]
  psi <- outer(x[y], x[!y], function(p, n) (p > n) + (p == n) / 2)
  a <- mean(psi); m <- sum(y); n <- sum(!y); groups <- unique(id)
  r10 <- sapply(groups, function(g) sum((rowMeans(psi) - a)[id[y] == g]))
  r01 <- sapply(groups, function(g) sum((colMeans(psi) - a)[id[!y] == g]))
  i10 <- length(unique(id[y])); i01 <- length(unique(id[!y])); i <- length(groups)
  s10 <- i10 / ((i10 - 1) * m) * sum(r10^2); s01 <- i01 / ((i01 - 1) * n) * sum(r01^2)
  list(name = name, variance = s10 / m + s01 / n + 2 * i / (i - 1) * sum(r10 * r01) / (m * n))
}
men <- table[table$gender == "Male", ]
women <- table[table$gender == "Female", ]
at <- function(name) sapply(c(0.8, 0.9, 0.95), function(s) coords(curve(name), s,
  input = "specificity", ret = "sensitivity", transpose = FALSE)[1, 1])
apart <- roc.test(curve("s100b", men), curve("s100b", women), method = "delong", paired = FALSE)
write_json(list(source = paste("R", getRversion(), "pROC", packageVersion("pROC")),
  curves = lapply(c("s100b", "ndka", "wfns"), one), paired = lapply(c("ndka", "wfns"), two),
  clustered = lapply(c("s100b", "ndka", "wfns"), clustered),
  sensitivity = sapply(c("s100b", "ndka", "wfns"), at, simplify = FALSE),
  unpaired = list(d = as.numeric(apart$statistic), df = as.numeric(apart$parameter), p = apart$p.value)),
  "roc.json", digits = 15, auto_unbox = TRUE)
