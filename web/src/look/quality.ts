// How good a call is, in bars and in words.

import type { Quality } from "../sdk/index.js";

/** How many of four bars a grade is. */
export const bars: Record<Quality["grade"], number> = { bad: 1, poor: 2, fair: 3, good: 4, excellent: 4 };
const grades: Record<Quality["grade"], string> = {
  bad: "very weak connection",
  poor: "weak connection",
  fair: "fair connection",
  good: "good connection",
  excellent: "excellent connection",
};
const causes: Partial<Record<Quality["cause"], string>> = {
  loss: "sound gets lost",
  delay: "sound comes late",
  freeze: "the picture freezes",
  frameRate: "the picture moves slowly",
  resolution: "the picture is coarse",
  paused: "video is paused",
};

/** A grade in words, with its cause where it is worth one; "" while it is unknown. */
export function qualityWords(quality: Quality | undefined): string {
  if (!quality) return "";
  const why = quality.grade === "good" || quality.grade === "excellent" ? undefined : causes[quality.cause];
  const grade = grades[quality.grade] ?? "";
  return why ? `${grade}: ${why}` : grade;
}
