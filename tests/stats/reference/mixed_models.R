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

# Crossed people and items with slopes; nested three deep, with rows and values missing.
set.seed(1)
Words <- expand.grid(item = paste0("i", 1:12), person = paste0("p", 1:12))
Words$condition <- ifelse((as.integer(Words$item) + as.integer(Words$person)) %% 2, 0.5, -0.5)
Words$time <- with(Words, 500 + 60 * rnorm(12)[person] + 40 * rnorm(12)[item] +
  condition * (30 + 40 * rnorm(12)[person] + 25 * rnorm(12)[item])) + 40 * rnorm(144)
Words$right <- rbinom(144, 1, plogis((Words$time - 500) / 60))
Words$time <- round(Words$time, 2)
Schools <- expand.grid(pupil = 1:3, class = paste0("c", 1:3), school = paste0("s", 1:5), town = paste0("t", 1:4))
Schools$hours <- round(rnorm(180), 3)
Schools$kind <- sample(c("a", "b", "c"), 180, TRUE)
Schools$score <- round(with(Schools, 0.5 * hours + rnorm(4)[town] + 0.8 * rnorm(20)[interaction(school, town)] +
  0.6 * rnorm(60)[interaction(class, school, town)]) + rnorm(180), 4)
Schools <- Schools[-sample(180, 40), ]
Schools$hours[sample(140, 10)] <- NA

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
    names = rownames(s), singular = isSingular(m, tol = 1e-4), beta = unname(s[, "Estimate"]), se = unname(s[, "Std. Error"]), df = unname(s[, "df"]),
    p = unname(s[, "Pr(>|t|)"]), components = components(m), modes = modes(m),
    loglik = as.numeric(logLik(m)), aic = AIC(m), bic = BIC(m), theta = unname(getME(m, "theta")))
  if (kr) {
    k <- coef(summary(m, ddf = "Kenward-Roger"))
    made$kr <- list(se = unname(k[, "Std. Error"]), df = unname(k[, "df"]))
  }
  made
}
tight <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhoend = 1e-9, maxfun = 1e6))
herds <- function(nodes) {
  g <- glmer(cbind(incidence, healthy) ~ period + (1 | herd), cbpp, family = binomial, nAGQ = nodes, control = tight)
  s <- coef(summary(g))
  list(nodes = nodes, beta = unname(s[, 1]), se = unname(s[, 2]), p = unname(s[, 4]),
    sd = attr(VarCorr(g)$herd, "stddev")[[1]], loglik = as.numeric(logLik(g)), modes = ranef(g)$herd[, 1])
}
words <- function() {
  g <- glmer(right ~ condition + (condition | person) + (1 | item), Words, family = binomial, control = tight)
  s <- coef(summary(g))
  list(formula = "right ~ condition + (condition | person) + (1 | item)", beta = unname(s[, 1]), se = unname(s[, 2]),
    components = components(g), loglik = as.numeric(logLik(g)))
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
    linear("Machines", score ~ Machine + (0 + Machine | Worker)),
    linear("sleepstudy", Reaction ~ scale(Days) + (scale(Days) | Subject), kr = FALSE),
    linear("sleepstudy", Reaction ~ poly(Days, 2) + (1 | Subject), kr = FALSE),
    linear("sleepstudy", log(Reaction) ~ Days + I(Days^2) + offset(o) + (Days || Subject), kr = FALSE),
    linear("sleepstudy", Reaction - 200 ~ 0 + Days + (0 + Days | Subject), kr = FALSE),
    linear("Words", time ~ condition + (condition | person) + (condition | item)),
    linear("Words", time ~ condition + (condition || person) + (0 + condition | item), FALSE),
    linear("Schools", score ~ hours * kind + (1 | town/school/class), kr = FALSE),
    linear("Schools", score ~ hours + kind + (1 | town) + (hours | town:school), FALSE)),
  weighted = linear("sleepstudy", Reaction ~ Days + (1 | Subject), kr = FALSE,
    m = lmerTest::lmer(Reaction ~ Days + (1 | Subject), sleepstudy, weights = w, offset = o, control = control)),
  logistic = lapply(c(1, 9, 25), herds),
  crossed = words(),
  ratio = ratio())
write_json(made, "mixed_models.json", digits = 12, auto_unbox = TRUE)
for (name in c("sleepstudy", "Penicillin", "Pastes", "Dyestuff", "Dyestuff2", "Machines", "cbpp", "Words", "Schools"))
  write.table(get(name), paste0(name, ".tsv"), sep = "\t", row.names = FALSE, quote = FALSE)
