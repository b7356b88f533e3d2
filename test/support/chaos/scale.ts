const { PARLEY_CHAOS } = process.env

/** Whether the long versions of the chaos tests run, as `npm run test:chaos` asks for. */
export const isLong = PARLEY_CHAOS === 'long'
