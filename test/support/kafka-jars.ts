/**
 * The programs of Apache Kafka, which no Debian package has: fetched once by Maven, from wherever its settings say, into a
 * folder outside of the repository. Where there is no Java or no Maven, or it cannot fetch, there is none, and why.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programOf } from './debian-server.ts';
import { eventually } from './eventually.ts';

/** Of the broker that tests run on: `KAFKA_VERSION`, else this one. */
export const kafkaVersion = process.env['KAFKA_VERSION'] ?? '4.1.2';

export const javaProgram = programOf('java');

const cache = join(homedir(), '.cache', 'dowel-tests');
const jars = join(cache, `kafka-${kafkaVersion}`);
/** What could not be fetched is not asked for again so soon. */
const again = 60 * 60 * 1000;
const longest = 180_000;

const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dowel</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
  </dependencies>
</project>
`;

/** Whether they are here already. */
export const hasKafkaJars = (): boolean => javaProgram !== undefined && existsSync(jars);

type Found = { readonly folder: string; readonly version: string } | { readonly missing: string };

/** The folder with the jars, or why there is none. */
export async function kafkaJars(): Promise<Found> {
  if (javaProgram === undefined) return { missing: 'there is no `java` (17 or later)' };
  if (existsSync(jars)) return { folder: jars, version: kafkaVersion };
  const maven = programOf('mvn');
  if (maven === undefined) return { missing: 'there is no `mvn` to fetch it with' };
  const failed = `${jars}.failed`;
  if (existsSync(failed) && Date.now() - statSync(failed).mtimeMs < again) return { missing: `see ${failed}` };
  mkdirSync(cache, { recursive: true });
  const lock = `${jars}.lock`;
  try {
    mkdirSync(lock);
  } catch {
    // Another test file fetches it.
    await eventually('Kafka is fetched', () => existsSync(jars) || !existsSync(lock), longest).catch(() => undefined);
    return existsSync(jars) ? { folder: jars, version: kafkaVersion } : { missing: 'it could not be fetched' };
  }
  const folder = mkdtempSync(`${jars}-`);
  try {
    writeFileSync(join(folder, 'pom.xml'), project);
    const goal = [
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(folder, 'jars')}`,
    ];
    await promisify(execFile)(maven, ['-q', '-B', '-f', join(folder, 'pom.xml'), ...goal], { timeout: longest });
    renameSync(join(folder, 'jars'), jars);
    return { folder: jars, version: kafkaVersion };
  } catch (thrown) {
    writeFileSync(failed, String(thrown));
    return { missing: `it could not be fetched (see ${failed})` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(lock, { recursive: true, force: true });
  }
}
