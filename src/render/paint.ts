/** What a rendering may emphasize. Who prints decides whether the output shows it. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;

/** No emphasis at all. */
export const plain: Paint = (_, text) => text;
