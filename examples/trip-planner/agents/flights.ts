import { specialist } from "./specialist.ts";

specialist("flights", [
  ["Scheduled airlines", { morning: { name: "Morning flight, direct", price: 210 } }],
  ["Low-cost airlines", { evening: { name: "Evening flight, direct", price: 95 } }],
  ["Alliances", {}],
  ["Charters", { stop: { name: "Flight with one stop", price: 70 } }],
  ["Baggage rules", {}],
  ["Seat maps", {}],
]);
