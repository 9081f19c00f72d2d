// What a person may begin with: words to which the scripted agents react.

export const SUGGESTIONS: readonly string[] = [
  "Tell me how this works",
  "Plan a trip to Lisbon",
  "Ask me something",
];
