# Reference values for tests/stats/mixed: run in this folder with R's lme4, lmerTest,
# pbkrtest and nlme. Optima and residuals are asked for tighter than lme4's defaults.
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest); library(jsonlite)})

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6),
                       check.conv.singular = "ignore")
Machines <- as.data.frame(nlme::Machines)
Machines$Worker <- as.character(Machines$Worker)
sleepstudy$w <- 1 + (seq_len(nrow(sleepstudy)) %% 3)
sleepstudy$o <- sleepstudy$Days^2 / 2
cbpp$healthy <- cbpp$size - cbpp$incidence

components <- function(m) {
  d <- as.data.frame(VarCorr(m))
  list(group = d$grp, first = d$var1, second = d$var2, vcov = d$vcov, sdcor = d$sdcor)
}
modes <- function(m) lapply(ranef(m, condVar = FALSE), function(d)
  list(levels = rownames(d), values = unname(as.matrix(d))))

linear <- function(name, formula, reml = TRUE, kr = reml, m = NULL) {
  if (is.null(m)) m <- lmerTest::lmer(formula, get(name), REML = reml, control = control)
  s <- coef(summary(m))
  made <- list(data = name, formula = paste(deparse(formula, 500), collapse = ""), reml = reml,
    beta = unname(s[, "Estimate"]), se = unname(s[, "Std. Error"]), df = unname(s[, "df"]),
    p = unname(s[, "Pr(>|t|)"]), components = components(m), modes = modes(m),
    loglik = as.numeric(logLik(m)), aic = AIC(m), bic = BIC(m), theta = unname(getME(m, "theta")))
  if (kr) {
    k <- coef(summary(m, ddf = "Kenward-Roger"))
    made$kr <- list(se = unname(k[, "Std. Error"]), df = unname(k[, "df"]))
  }
  made
}
logistic <- function(nodes) {
  g <- glmer(cbind(incidence, healthy) ~ period + (1 | herd), cbpp, family = binomial, nAGQ = nodes,
    control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhoend = 1e-9, maxfun = 1e6)))
  s <- coef(summary(g))
  list(nodes = nodes, beta = unname(s[, 1]), se = unname(s[, 2]), p = unname(s[, 4]),
    sd = attr(VarCorr(g)$herd, "stddev")[[1]], loglik = as.numeric(logLik(g)), modes = ranef(g)$herd[, 1])
}
ratio <- function() {
  small <- lme4::lmer(Reaction ~ 1 + (Days | Subject), sleepstudy, control = control)
  large <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = control)
  a <- anova(small, large)
  list(statistic = a$Chisq[2], df = a$Df[2], p = a[["Pr(>Chisq)"]][2])
}
made <- list(
  source = paste("R", getRversion(), "lme4", packageVersion("lme4"), "lmerTest", packageVersion("lmerTest"),
                 "pbkrtest", packageVersion("pbkrtest"), "nlme", packageVersion("nlme")),
  linear = list(
    linear("sleepstudy", Reaction ~ Days + (Days | Subject)),
    linear("sleepstudy", Reaction ~ Days + (Days | Subject), FALSE),
    linear("sleepstudy", Reaction ~ Days + (Days || Subject)),
    linear("sleepstudy", Reaction ~ Days + (1 | Subject)),
    linear("sleepstudy", Reaction ~ Days + (1 | Subject) + (0 + Days | Subject), FALSE),
    linear("Penicillin", diameter ~ 1 + (1 | plate) + (1 | sample)),
    linear("Penicillin", diameter ~ 1 + (1 | plate) + (1 | sample), FALSE),
    linear("Pastes", strength ~ 1 + (1 | batch/cask)),
    linear("Pastes", strength ~ 1 + (1 | batch/cask), FALSE),
    linear("Dyestuff", Yield ~ 1 + (1 | Batch)),
    linear("Dyestuff", Yield ~ 1 + (1 | Batch), FALSE),
    linear("Dyestuff2", Yield ~ 1 + (1 | Batch), kr = FALSE),
    linear("Machines", score ~ Machine + (1 | Worker/Machine)),
    linear("Machines", score ~ Machine + (Machine | Worker)),
    linear("Machines", score ~ Machine + (0 + Machine | Worker))),
  weighted = linear("sleepstudy", Reaction ~ Days + (1 | Subject), kr = FALSE,
    m = lmerTest::lmer(Reaction ~ Days + (1 | Subject), sleepstudy, weights = w, offset = o, control = control)),
  logistic = lapply(c(1, 9, 25), logistic),
  ratio = ratio())
write_json(made, "mixed_models.json", digits = 12, auto_unbox = TRUE)
for (name in c("sleepstudy", "Penicillin", "Pastes", "Dyestuff", "Dyestuff2", "Machines", "cbpp"))
  write.table(get(name), paste0(name, ".tsv"), sep = "\t", row.names = FALSE, quote = FALSE)
