/** The analysts: pure functions from a series, as it was known, to a finding or a gap. */
export { aggregate, type AggregateMethod } from './aggregate.ts';
export type { Series } from '../protocol/series.ts';
export type { Analysis, AnalystOptions, Polarity } from './analyst.ts';
export { currency, type CurrencyOptions, type QuoteDirection } from './currency.ts';
export { drawdown } from './drawdown.ts';
export { growth } from './growth.ts';
export { priceTrend } from './price-trend.ts';
export { relativeStrength, type RelativeStrengthOptions } from './relative-strength.ts';
export { unemployment } from './unemployment.ts';
export { volatilityRegime } from './volatility-regime.ts';
export { yieldCurve } from './yield-curve.ts';
