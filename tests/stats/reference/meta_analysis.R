# Reference values for tests/stats/test_heterogeneity.py: run in this folder with R's
# metafor, whose data set dat.bcg (Colditz et al., JAMA 271, 1994) is used.
suppressMessages({library(metafor); library(jsonlite)})
data <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = metadat::dat.bcg)
one <- function(method) {
  m <- rma(yi, vi, data = data, method = method, test = "knha",
           control = list(threshold = 1e-14, tol = 1e-12, maxiter = 1000))
  p <- predict(m)
  list(method = tolower(method), tau2 = m$tau2, i2 = m$I2 / 100, q = m$QE, q_p = m$QEp,
       value = as.numeric(m$b), se = m$se, low = m$ci.lb, high = m$ci.ub,
       prediction_low = p$pi.lb, prediction_high = p$pi.ub,
       without = leave1out(m)$estimate, tau2_without = leave1out(m)$tau2)
}
write_json(list(source = paste("R", getRversion(), "metafor", packageVersion("metafor")),
  estimates = as.numeric(data$yi), variances = as.numeric(data$vi),
  fits = lapply(c("REML", "DL", "PM"), one)), "meta_analysis.json", digits = 14, auto_unbox = TRUE)
