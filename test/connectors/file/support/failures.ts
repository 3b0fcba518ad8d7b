import { failure } from '#sdk';

export const transient = () => failure('connection', { endpoint: 'stock', detail: 'refused' });

export const permanent = () => failure('validation', { findings: ['/sku is missing'] });
