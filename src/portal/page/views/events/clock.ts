/** Times of a day that is mostly today. */

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** Without the day where it is today. */
export function clockText(time: string): string {
  const moment = new Date(time);
  const isToday = moment.toDateString() === new Date().toDateString();
  return (isToday ? clock : dayAndClock).format(moment);
}
