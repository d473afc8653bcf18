# Reference values for tests/stats/mixed/test_mode_variances.py: run in this folder with R's
# lme4. Covariances of the conditional modes (ranef, condVar = TRUE), Pearson residuals.
suppressMessages({library(lme4); library(jsonlite)})

linear <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6),
                      check.conv.singular = "ignore")
logistic <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13,
                         optCtrl = list(rhoend = 1e-9, maxfun = 1e6))
Machines <- as.data.frame(nlme::Machines)
Machines$Worker <- as.character(Machines$Worker)
sleepstudy$w <- 1 + (seq_len(nrow(sleepstudy)) %% 3)
cbpp$healthy <- cbpp$size - cbpp$incidence
cbpp$half <- ifelse(seq_len(nrow(cbpp)) %% 2 == 0, "even", "odd")

described <- function(data, m, ...) {
  groups <- lapply(ranef(m, condVar = TRUE), function(d) {
    v <- attr(d, "postVar")
    # Independent terms of one factor come as a list of arrays.
    terms <- if (is.list(v)) unname(v) else list(v)
    list(levels = rownames(d),
         variances = lapply(terms, function(a) aperm(a, c(3, 1, 2))))
  })
  # lme4 writes (Days || Subject) out, with one pair of parentheses too many.
  text <- gsub("((", "(", gsub("))", ")", paste(deparse(formula(m), 500), collapse = ""), fixed = TRUE), fixed = TRUE)
  c(list(data = data, formula = text, groups = groups,
         residuals = unname(residuals(m, type = "pearson")), sigma = sigma(m)), list(...))
}
cases <- list(
  described("sleepstudy", lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = linear)),
  described("sleepstudy", lmer(Reaction ~ Days + (Days || Subject), sleepstudy, control = linear)),
  described("sleepstudy", lmer(Reaction ~ Days + (1 | Subject), sleepstudy, weights = w, control = linear), weights = "w"),
  described("Penicillin", lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin, control = linear)),
  described("Pastes", lmer(strength ~ 1 + (1 | batch/cask), Pastes, control = linear)),
  described("Machines", lmer(score ~ Machine + (1 | Worker/Machine), Machines, control = linear)),
  described("Dyestuff2", lmer(Yield ~ 1 + (1 | Batch), Dyestuff2, control = linear)))
herds <- lapply(c(1, 25), function(nodes) {
  m <- glmer(cbind(incidence, healthy) ~ period + (1 | herd), cbpp, family = binomial, nAGQ = nodes, control = logistic)
  c(described("cbpp", m), list(nodes = nodes))
})
crossed <- glmer(cbind(incidence, healthy) ~ 1 + (1 | herd) + (1 | period), cbpp, family = binomial, control = logistic)
made <- list(source = paste("R", getRversion(), "lme4", packageVersion("lme4")),
             linear = cases, logistic = herds, crossed = described("cbpp", crossed))
write_json(made, "conditional_variances.json", digits = 12, auto_unbox = TRUE)
