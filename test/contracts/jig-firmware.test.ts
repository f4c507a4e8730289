import { lackingCompiler } from '../../scripts/firmware/build.ts';
import { startFirmwareRig } from '../jig/firmware/firmware-rig.ts';
import { jigContract } from './jig.contract.ts';

jigContract('firmware over a pseudo terminal', startFirmwareRig, 'controller', lackingCompiler());
