/** The arguments that start a headless Chromium, whose pages can force collections. */
export const chromiumArguments = (profile: string, ...jsFlags: ReadonlyArray<string>): Array<string> => [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  // A hidden page gets slow timers.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  `--js-flags=${["--expose-gc", ...jsFlags].join(" ")}`,
  `--user-data-dir=${profile}`
]
