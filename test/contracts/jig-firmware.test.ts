import { it } from 'node:test';
import { lackingCompiler } from '../../scripts/firmware/build.ts';
import { startFirmwareRig } from '../jig/firmware/firmware-rig.ts';
import { jigContract } from './jig.contract.ts';

const lacking = lackingCompiler();
const name = 'firmware over a pseudo terminal';
if (lacking === null) jigContract(name, startFirmwareRig);
else it(`the jig port: ${name}`, { skip: lacking }, () => undefined);
