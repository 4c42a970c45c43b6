// Times as people read them.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const SHORT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const LONG = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export const dateOf = (ts) => new Date(Number(ts) * 1000);
export const clock = (ts) => CLOCK.format(dateOf(ts));
export const fullTime = (ts) => FULL.format(dateOf(ts));

/** Name a day, near ones in words. */
export function dayName(ts) {
  const then = dateOf(ts);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : DAY.format(then);
}

/** Fill in a date format such as `{date_short} at {time}`. */
export function formatDate(stamp, format, fallback) {
  if (!Number.isFinite(stamp) || !format) return fallback;
  const date = new Date(stamp * 1000);
  const near = ["Today", "Yesterday"].includes(dayName(stamp)) ? dayName(stamp).toLowerCase() : null;
  const ago = () => {
    const minutes = Math.round((Date.now() - date) / 6e4);
    const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
    return Math.abs(minutes) < 90 ? words.format(-minutes, "minute") : words.format(-Math.round(minutes / 60), "hour");
  };
  const parts = {
    date_num: () => date.toISOString().slice(0, 10),
    date: () => LONG.format(date),
    date_short: () => SHORT.format(date),
    date_long: () => LONG.format(date),
    date_pretty: () => near ?? LONG.format(date),
    date_short_pretty: () => near ?? SHORT.format(date),
    date_long_pretty: () => near ?? LONG.format(date),
    day_divider_pretty: () => dayName(stamp),
    time: () => CLOCK.format(date),
    time_secs: () => SECONDS.format(date),
    ago,
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => (parts[name] ? parts[name]() : whole));
}
