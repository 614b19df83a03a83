// Forecasts of disputes: pure, from what a chain view and evidence say.

export * from "./action";
export * from "./exit-forecast";
export * from "./gas";
export * from "./thread-forecast";
